--- @include "relations"

-- Return the refusal if an account may not start a conversation with another one, or nil.
local function unreachable(account, peer)
  if is_blocked(call('HGET', 'relations:' .. account, peer)) then return 'BLOCKED' end
  local found = call('HMGET', 'account:' .. peer, 'created', 'privacy')
  if not found[1] then return 'NOTFOUND' end
  local relation = call('HGET', 'relations:' .. peer, account)
  local barred = found[2] == 'contacts' and account ~= peer and not is_contact(relation)
  if barred or is_blocked(relation) then return 'NOTFOUND' end
end
