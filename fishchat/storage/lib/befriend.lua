--- @include "relations"

local function make_contact(account, other)
  local relation = call('HGET', 'relations:' .. account, other)
  if not is_contact(relation) then call('HSET', 'relations:' .. account, other, (relation or '') .. 'c') end
end

-- Make two accounts contacts of each other, of which the other one has asked. Return whether the list of the account has
-- room. That of the other one had room when it asked, so that it may now be longer by its requests.
local function befriend(account, other, most)
  local relations = 'relations:' .. account
  if call('HEXISTS', relations, other) == 0 and call('HLEN', relations) >= most then return false end
  make_contact(account, other)
  make_contact(other, account)
  call('HDEL', 'contact_asked:' .. account, other)
  call('HDEL', 'contact_asked:' .. other, account)
  return true
end
