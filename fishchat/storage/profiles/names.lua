-- Read the display names of some accounts, for an account that may see them.
-- args: asker, accounts (250 at most)
-- reply: packed (a display name or '' for each account)
--- @include "shown_name"

local asker, accounts = unpack(args)
local out = {}
for i, account in ipairs(accounts) do out[i] = shown_name(asker, account) end
return cmsgpack.pack(out)
