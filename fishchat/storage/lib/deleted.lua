-- Return whether an account was deleted. A request that was under way at its deletion must not create its keys again.
local function is_deleted(account)
  return call('HEXISTS', 'account:' .. account, 'deleted') == 1
end
