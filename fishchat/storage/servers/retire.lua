-- Release the name of a msg_server; the manager ends its remaining sessions.
-- args: server, incarnation
-- reply: OK
-- writes: lease:<server> servers features dead
--- @include "incarnation"

local server, incarnation = unpack(args)
local lease = call('GET', 'lease:' .. server)
if lease and incarnation_of(lease) == incarnation then call('DEL', 'lease:' .. server) end
if call('HGET', 'servers', server) == incarnation then
  call('HDEL', 'servers', server)
  call('HDEL', 'features', server)
  if call('EXISTS', 'on:' .. server .. ':' .. incarnation) == 1 then
    call('SADD', 'dead', server .. ' ' .. incarnation)
  end
end
return 'OK'
