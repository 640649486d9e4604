-- Store how far a router has read a shard, and trim the stream up to there.
-- args: stream, token, lease (ms), generation, position or '', hints (flat: msg_server, last hint number), held
--   (shards, if this one may be given away, else 0)
-- reply: OK, LOST (another router holds the shard) or GIVEN (it goes to a router that asked for it and holds fewer)
-- writes: router:<stream> routed:<stream> hints:<stream> wanted:<stream> /sysctrl/send

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
  -- Giving one more away would only swap the numbers of shards.
  if other ~= token and held >= its + 2 then
    call('SET', 'router:' .. stream, other, 'PX', lease)
    call('DEL', 'wanted:' .. stream)
    return 'GIVEN'
  end
end
return 'OK'
