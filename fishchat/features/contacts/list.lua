-- List the accounts that an account has blocked, or its contacts.
-- args: account, kind ('b' blocked, 'c' contact)
-- reply: packed accounts
--- @include "relations"

local account, kind = unpack(args)
local out = {}
local found = call('HGETALL', 'relations:' .. account)
for i = 1, #found, 2 do
  if kind == 'b' and is_blocked(found[i + 1]) or kind == 'c' and is_contact(found[i + 1]) then out[#out + 1] = found[i] end
end
return cmsgpack.pack(out)
