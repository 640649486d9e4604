-- Take or keep a lease for a role without clients, under which it may store messages.
-- args: name, incarnation (incarnation.connection), lease (ms), take (false, true if the name is free, the holder to
--   replace)
-- reply: KEPT, NEW, LOST (the lease has ended) or TAKEN (another one lives)
-- writes: lease:<server>
--- @include "incarnation"
--- @include "vital"

-- A msg_server registers: see servers/register. Messages are not routed to a name that only holds a lease.

local name, incarnation, lease, take = unpack(args)
begin_vital()
local held = call('GET', 'lease:' .. name)
local mine = held and incarnation_of(held) == incarnation_of(incarnation)
if not mine and not take then return held and 'TAKEN' or 'LOST' end
if held and not mine and (take == true or incarnation_of(take) ~= incarnation_of(held)) then return 'TAKEN' end
call('SET', 'lease:' .. name, incarnation, 'PX', lease)
return mine and 'KEPT' or 'NEW'
