-- Let an account join a topic, and notify it.
-- args: server, incarnation, epoch, account, topic, guest, most (invitations of a topic), stream, body (of the
--   notice)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice); OK alone if it was invited
--   before
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, NOTMEMBER, EXISTS, BLOCKED, BANNED, RIGHTS <needs>,
--   MUTED <until>, FULL <limit>
-- writes: invited:<conversation> talks:<account> log:<conversation> meta:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "reach"
--- @include "sanctions"
--- @include "spans"
--- @include "append"

local server, incarnation, epoch, account, topic, guest, most, stream, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'invite')
if refused then return refused end
-- This check is first, because members can see each other: NOTFOUND would reveal a block.
if call('HEXISTS', 'members:' .. conversation, guest) == 1 then return {'EXISTS'} end
local word = refuses(account, guest)
if word then return {word} end
if sanction_of('banned:' .. conversation, guest) then return {'BANNED'} end
if call('SCARD', 'invited:' .. conversation) >= most then return {'FULL', most} end
if call('SADD', 'invited:' .. conversation, guest) == 0 then return {'OK'} end
local notices = '@' .. guest
open_span(guest, notices, '0-0')
return append(server, incarnation, epoch, stream, notices, body)
