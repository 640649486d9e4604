-- Remove the request of an account to join a topic, and notify it.
-- args: server, incarnation, epoch, stream, account, topic, guest, body (of the notice)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice); OK alone if the account was deleted
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, NOTMEMBER, RIGHTS <needs>
-- writes: asked:<conversation> asking:<account> told:<account> talks:<account> log:<conversation> meta:<conversation>
--   count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "deleted"
--- @include "requests"

local server, incarnation, epoch, stream, account, topic, guest, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'admit')
if refused then return refused end
if not forget_request(topic, guest) then return {'NOTFOUND'} end
if is_deleted(guest) then return {'OK'} end
local notices = '@' .. guest
open_span(guest, notices, '0-0')
local notice = append(server, incarnation, epoch, stream, notices, body)
note_told(account, notices, epoch .. '-' .. notice[4])
return notice
