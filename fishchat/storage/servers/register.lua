-- Take or keep the name of a msg_server.
-- args: server, incarnation (incarnation.connection), lease (ms), take (false, true if the name is free, the holder to
--   replace), features (names, separated by spaces)
-- reply: KEPT, NEW, LOST (another incarnation was declared, or this one was declared dead) or TAKEN (another one
--   lives)
-- writes: lease:<server> servers features dead
--- @include "incarnation"
--- @include "vital"

local server, incarnation, lease, take, features = unpack(args)
begin_vital()
local current = call('HGET', 'servers', server)
if current == incarnation_of(incarnation) then
  call('SET', 'lease:' .. server, incarnation, 'PX', lease)
  return 'KEPT'
end
local held = call('GET', 'lease:' .. server)
if not take then return held and 'TAKEN' or 'LOST' end
-- The caller found this holder dead. Another newcomer may have taken the name since.
if held and (take == true or incarnation_of(take) ~= incarnation_of(held)) then return 'TAKEN' end
if current then call('SADD', 'dead', server .. ' ' .. current) end
call('HSET', 'servers', server, incarnation_of(incarnation))
call('HSET', 'features', server, features)
call('SET', 'lease:' .. server, incarnation, 'PX', lease)
return 'NEW'
