-- List the accounts that an account has blocked, or its contacts.
-- args: account, kind ('b' blocked, 'c' contact)
-- reply: packed accounts
--- @include "relations"

local account, kind = unpack(args)
local has = kind == 'b' and is_blocked or is_contact
local out = {}
local found = call('HGETALL', 'relations:' .. account)
for i = 1, #found, 2 do
  if has(found[i + 1]) then out[#out + 1] = found[i] end
end
return cmsgpack.pack(out)
