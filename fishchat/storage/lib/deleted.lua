-- Whether an account was deleted. A request that was under way at its deletion must not bring its name back.
local function is_deleted(account)
  return call('HEXISTS', 'account:' .. account, 'deleted') == 1
end
