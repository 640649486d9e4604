-- A person has read up to a message: forward only. args: server, incarnation, epoch, stream, account, device,
-- conversation, position. In p2p the other side is told, through the router where it is elsewhere.
-- Gives {'OK', 1 if it moved and may be told} or {'WORD'}.
local server, incarnation, epoch, stream, account, device, conversation, at = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local spans = call('HGET', 'talks:' .. account, conversation)
if not spans then return {'NOTFOUND'} end
local last = last_of(conversation)
local _, number = position(at)
-- A store that was put back from a copy knows fewer numbers than an id of its later life.
if above(at, last) or number > select(2, position(last)) then return {'AHEAD'} end
local field = 'r:' .. account
if number <= tonumber(call('HGET', 'meta:' .. conversation, field) or 0) then return {'OK', 0} end
call('HSET', 'meta:' .. conversation, field, number)
local one, other = string.match(conversation, '^([^+#@]+)%+(.+)$')
if not one or one == other then return {'OK', 1} end
if call('HGET', 'meta:' .. conversation, 'b') then return {'OK', 0} end
local peer = one == account and other or one
tell_router(server, incarnation, epoch, stream, elsewhere(call('GET', 'at:' .. peer), server), conversation, 0, 0,
  account .. ' ' .. device .. ' -1 r ' .. at)
return {'OK', 1}
