-- Return the refusal if an account may not start a conversation with another one, or nil.
local function unreachable(account, peer)
  if call('HGET', 'relations:' .. account, peer) == 'b' then return 'BLOCKED' end
  local found = call('HMGET', 'account:' .. peer, 'created', 'privacy')
  if not found[1] then return 'NOTFOUND' end
  local relation = call('HGET', 'relations:' .. peer, account)
  if relation == 'b' or (found[2] == 'contacts' and relation ~= 'c' and account ~= peer) then return 'NOTFOUND' end
end
