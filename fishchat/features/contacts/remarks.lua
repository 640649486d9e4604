-- Read the remarks of an account about some of its contacts.
-- args: account, others (at least one)
-- reply: remarks, '' if there is none

local account, others = unpack(args)
local found = call('HMGET', 'remarks:' .. account, unpack(others))
for i = 1, #others do found[i] = found[i] or '' end
return found
