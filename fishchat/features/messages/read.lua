-- Move the read number of an account forward, and publish that to the other side of a p2p conversation.
-- args: server, incarnation, epoch, stream, account, conversation, position
-- reply: OK, 1 if it moved and may be published
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, AHEAD
-- writes: meta:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "sight"
--- @include "positions"
--- @include "elsewhere"
--- @include "signal"

local server, incarnation, epoch, stream, account, conversation, at = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not sight_of(account, conversation) then return {'NOTFOUND'} end
local last = last_of(conversation)
local _, number = position(at)
-- A restored store has fewer numbers than an id from after the backup.
if above(at, last) or number > select(2, position(last)) then return {'AHEAD'} end
local field = 'r:' .. account
if number <= tonumber(call('HGET', 'meta:' .. conversation, field) or 0) then return {'OK', 0} end
call('HSET', 'meta:' .. conversation, field, number)
local one, other = string.match(conversation, '^([^+#@]+)%+(.+)$')
if not one or one == other then return {'OK', 1} end
if call('HGET', 'meta:' .. conversation, 'b') then return {'OK', 0} end
local peer = one == account and other or one
signal(server, incarnation, epoch, stream, elsewhere(call('GET', 'at:' .. peer), server), peer,
  'RESP_READ ' .. account .. ' ' .. conversation .. ':' .. at)
return {'OK', 1}
