-- Move the read number of an account forward, and publish that to the other side of a p2p conversation.
-- args: server, incarnation, epoch, stream, account, conversation, position ('' for the end), topic (what a name may mean, or '')
-- reply: OK, 1 if it moved and may be published, position
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, TOPIC, AHEAD, NEVER (no message had this position)
-- writes: meta:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "sight"
--- @include "positions"
--- @include "elsewhere"
--- @include "signal"
--- @include "existed"

local server, incarnation, epoch, stream, account, conversation, at, topic = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local spans = sight_of(account, conversation)
if not spans then return {unseen(account, topic)} end
local last = last_of(conversation)
if at == '' then
  local upto = string.match(spans, ':([%d%-]*)$')
  at = upto == '' and last or upto
end
local _, number = position(at)
-- A restored store has fewer numbers than an id from after the backup.
if above(at, last) or number > select(2, position(last)) then return {'AHEAD'} end
local field = 'r:' .. account
if at ~= last and not existed(conversation, at) then return {'NEVER'} end
if number <= tonumber(call('HGET', 'meta:' .. conversation, field) or 0) then return {'OK', 0, at} end
call('HSET', 'meta:' .. conversation, field, number)
local one, other = string.match(conversation, '^([^+#@]+)%+(.+)$')
if not one or one == other then return {'OK', 1, at} end
if call('HGET', 'meta:' .. conversation, 'b') then return {'OK', 0, at} end
local peer = one == account and other or one
signal(server, incarnation, epoch, stream, elsewhere(call('GET', 'at:' .. peer), server), peer,
  'RESP_READ ' .. account .. ' ' .. conversation .. ':' .. at)
return {'OK', 1, at}
