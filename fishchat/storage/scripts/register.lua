-- A msg_server takes its name, or keeps it.
-- args: server, incarnation.connection, lease in ms, whether it may take the name over.
-- Gives 'KEPT', 'NEW', 'LOST' (another incarnation was declared, or this one was declared dead) or 'TAKEN' (another lives).
local server, incarnation, lease, take = unpack(args)
begin_vital()
local current = call('HGET', 'servers', server)
if current == bare(incarnation) then
  call('SET', 'lease:' .. server, incarnation, 'PX', lease)
  return 'KEPT'
end
if not take then return call('EXISTS', 'lease:' .. server) == 1 and 'TAKEN' or 'LOST' end
if current then call('SADD', 'dead', server .. ' ' .. current) end
call('HSET', 'servers', server, bare(incarnation))
call('SET', 'lease:' .. server, incarnation, 'PX', lease)
return 'NEW'
