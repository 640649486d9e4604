-- Release the lease of a role without clients.
-- args: name, incarnation
-- reply: OK
-- writes: lease:<server>
--- @include "incarnation"

local name, incarnation = unpack(args)
local lease = call('GET', 'lease:' .. name)
if lease and incarnation_of(lease) == incarnation then call('DEL', 'lease:' .. name) end
return 'OK'
