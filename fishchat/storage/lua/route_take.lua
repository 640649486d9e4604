-- A router asks for a shard. args: stream, token, lease in ms, how many shards it holds (-1: it does not want this one if
--   another router holds it).
-- Gives {generation, position it stands at or '', flat array of msg_server, last hint number}, or nothing while another holds it.
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
