-- Accept the request of an account: both become contacts, and the asking account is notified.
-- args: server, incarnation, epoch, stream, account, other, most (relations), body (of the notice)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice)
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, FULL <limit>
-- writes: contact_asked:<account> relations:<account> talks:<account> log:<conversation> meta:<conversation>
--   quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "deleted"
--- @include "befriend"
--- @include "spans"
--- @include "append"

local server, incarnation, epoch, stream, account, other, most, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
-- The requests of a deleted account are removed in steps.
if call('HEXISTS', 'contact_asked:' .. account, other) == 0 or is_deleted(other) then return {'NOTFOUND'} end
if not befriend(account, other, most) then return {'FULL', most} end
open_span(other, '@' .. other, '0-0')
return append(server, incarnation, epoch, stream, '@' .. other, body, true)
