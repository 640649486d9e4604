-- A router stores how far it is, and cuts the stream behind itself.
-- args: stream, token, lease in ms, generation, position, flat array of msg_server, last hint number.
-- Gives 'OK', or 'LOST' when another router holds the shard.
local stream, token, lease, generation, at, numbers = unpack(args)
if call('GET', 'router:' .. stream) ~= token then return 'LOST' end
call('PEXPIRE', 'router:' .. stream, lease)
if at ~= '' then
  call('HSET', 'routed:' .. stream, 'at', at)
  local epoch, seq = string.match(at, '^(%d+)-(%d+)$')
  call('XTRIM', stream, 'MINID', epoch .. '-' .. string.format('%.0f', seq + 1))
end
for i = 1, #numbers, 2 do call('HSET', 'hints:' .. stream, numbers[i], generation .. ' ' .. numbers[i + 1]) end
return 'OK'
