-- Take a shard for a router, or ask for it.
-- args: stream, token, lease (ms), held (shards it holds; -1: it does not want one that another router holds)
-- reply: generation, position or '', hints (flat: msg_server, last hint number); nil while another router holds it
-- writes: router:<stream> routed:<stream> wanted:<stream>
--- @include "vital"

local stream, token, lease, held = unpack(args)
local holder = call('GET', 'router:' .. stream)
if holder and holder ~= token then
  if held >= 0 then
    local wanted = call('GET', 'wanted:' .. stream)
    if not wanted or held <= tonumber(string.match(wanted, '%d+$')) then
      call('SET', 'wanted:' .. stream, token .. ' ' .. held, 'PX', lease)
    end
  end
  return false
end
begin_vital()
call('SET', 'router:' .. stream, token, 'PX', lease)
local generation = call('HINCRBY', 'routed:' .. stream, 'generation', 1)
local numbers = call('HGETALL', 'hints:' .. stream)
return {generation, call('HGET', 'routed:' .. stream, 'at') or '', numbers}
