-- A router stores how far it is, and cuts the stream behind itself.
-- args: stream, token, lease in ms, generation, position, flat array of msg_server, last hint number,
--   how many shards it holds if it may give this one away, else 0.
-- Gives 'OK', 'LOST' when another router holds the shard, 'GIVEN' when it belongs to one now that wanted it and holds fewer.
local stream, token, lease, generation, at, numbers, held = unpack(args)
if call('GET', 'router:' .. stream) ~= token then return 'LOST' end
call('PEXPIRE', 'router:' .. stream, lease)
if at ~= '' then
  call('HSET', 'routed:' .. stream, 'at', at)
  local epoch, seq = string.match(at, '^(%d+)-(%d+)$')
  call('XTRIM', stream, 'MINID', epoch .. '-' .. string.format('%.0f', seq + 1))
end
for i = 1, #numbers, 2 do call('HSET', 'hints:' .. stream, numbers[i], generation .. ' ' .. numbers[i + 1]) end
local wanted = held > 1 and call('GET', 'wanted:' .. stream)
if wanted then
  local other, its = string.match(wanted, '^(%S+) (%d+)$')
  -- One more would only change places.
  if other ~= token and held >= its + 2 then
    call('SET', 'router:' .. stream, other, 'PX', lease)
    call('DEL', 'wanted:' .. stream)
    return 'GIVEN'
  end
end
return 'OK'
