-- A msg_server takes its name, or keeps it.
-- args: server, incarnation.connection, lease in ms, whether it may take a name that is free ('force': any name).
-- Gives 'KEPT', 'NEW', 'LOST' (another incarnation was declared, or this one was declared dead) or 'TAKEN' (another lives).
local server, incarnation, lease, take = unpack(args)
begin_vital()
local current = call('HGET', 'servers', server)
if current == bare(incarnation) then
  call('SET', 'lease:' .. server, incarnation, 'PX', lease)
  return 'KEPT'
end
local held = call('EXISTS', 'lease:' .. server) == 1
if not take then return held and 'TAKEN' or 'LOST' end
if held and take ~= 'force' then return 'TAKEN' end
if current then call('SADD', 'dead', server .. ' ' .. current) end
call('HSET', 'servers', server, bare(incarnation))
call('SET', 'lease:' .. server, incarnation, 'PX', lease)
return 'NEW'
