-- A msg_server ends. args: server, incarnation. What sessions it left are the manager's to end.
local server, incarnation = unpack(args)
local lease = call('GET', 'lease:' .. server)
if lease and bare(lease) == incarnation then call('DEL', 'lease:' .. server) end
if call('HGET', 'servers', server) == incarnation then
  call('HDEL', 'servers', server)
  if call('EXISTS', 'on:' .. server .. ':' .. incarnation) == 1 then
    call('SADD', 'dead', server .. ' ' .. incarnation)
  end
end
return 'OK'
