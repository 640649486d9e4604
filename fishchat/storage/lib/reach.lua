--- @include "names"
--- @include "shut"
--- @include "unreachable"

-- Return the refusal if an account may not address another one, or nil. After they have talked, their conversation decides.
local function refuses(account, peer)
  local found = call('HMGET', 'meta:' .. p2p(account, peer), 'n', 'b')
  if not found[1] then return unreachable(account, peer) end
  local word = shut(found[2], account)
  if word then return word end
  if call('HEXISTS', 'account:' .. peer, 'created') == 0 then return 'NOTFOUND' end
end
