--- @include "names"
--- @include "relations"

-- Return the display name of an account, or '' if it has none or does not let the asker see its status. A block by the
-- asker itself hides nothing from it.
local function shown_name(asker, account)
  local found = call('HMGET', 'account:' .. account, 'name', 'privacy')
  if not found[1] or asker == account then return found[1] or '' end
  local relation = call('HGET', 'relations:' .. account, asker)
  if is_blocked(relation) then return '' end
  if found[2] == 'contacts' and not is_contact(relation)
    and call('HEXISTS', 'meta:' .. p2p(asker, account), 'n') == 0 then return '' end
  return found[1]
end
