-- Move the read number of an account forward, and publish that: to the account's devices, to the other side of a p2p
-- conversation unless one of the two has blocked the other, and to those who watch a small topic of which it is a member.
-- args: server, incarnation, epoch, stream, account, conversation, position ('' for the end), topic (what a name may mean, or '')
-- reply: OK, the accounts and the topic to notify, separated by spaces and empty if it did not move, position
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, TOPIC, AHEAD, NEVER (no message had this position)
-- writes: meta:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "sight"
--- @include "positions"
--- @include "elsewhere"
--- @include "other_servers"
--- @include "signal"
--- @include "existed"

-- The most members of a topic whose watchers are notified; rows.py of the feature watching names the same number.
local SMALL = 50

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
if number <= tonumber(call('HGET', 'meta:' .. conversation, field) or 0) then return {'OK', '', at} end
call('HSET', 'meta:' .. conversation, field, number)

local told, places = {account}, {elsewhere(call('GET', 'at:' .. account), server) or nil}
local one, other = string.match(conversation, '^([^+#@]+)%+(.+)$')
if one and one ~= other and not call('HGET', 'meta:' .. conversation, 'b') then
  local peer = one == account and other or one
  told[2], places[#places + 1] = peer, elsewhere(call('GET', 'at:' .. peer), server) or nil
elseif string.sub(conversation, 1, 1) == '#' and call('HLEN', 'members:' .. conversation) <= SMALL
  and call('HEXISTS', 'members:' .. conversation, account) == 1 then
  told[2], places[#places + 1] = conversation, other_servers(server) or nil
end
told = table.concat(told, ' ')
signal(server, incarnation, epoch, stream, #places > 0 and table.concat(places, ' '), told,
  'RESP_READ ' .. account .. ' ' .. conversation .. ':' .. at)
return {'OK', told, at}
