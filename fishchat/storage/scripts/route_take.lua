-- A router asks for a shard. args: stream, token, lease in ms.
-- Gives {generation, position it stands at or '', flat array of msg_server, last hint number}, or nothing while another holds it.
local stream, token, lease = unpack(args)
local holder = call('GET', 'router:' .. stream)
if holder and holder ~= token then return false end
begin_vital()
call('SET', 'router:' .. stream, token, 'PX', lease)
local generation = call('HINCRBY', 'routed:' .. stream, 'generation', 1)
local numbers = call('HGETALL', 'hints:' .. stream)
return {generation, call('HGET', 'routed:' .. stream, 'at') or '', numbers}
