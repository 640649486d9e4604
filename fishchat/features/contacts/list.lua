-- List the accounts that an account has blocked, or its contacts.
-- args: account, kind ('b' blocked, 'c' contact)
-- reply: packed accounts

local account, kind = unpack(args)
local out = {}
local found = call('HGETALL', 'relations:' .. account)
for i = 1, #found, 2 do
  if found[i + 1] == kind then out[#out + 1] = found[i] end
end
return cmsgpack.pack(out)
