-- Return which of these accounts are online.
-- args: accounts (some hundred)
-- reply: 1 or 0 for each

local found = {}
for i, account in ipairs(args[1]) do found[i] = call('EXISTS', 'at:' .. account) end
return found
