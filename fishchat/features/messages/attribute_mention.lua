--- @include "rights"

-- Only who may mention everybody does; for all others the message is not stored.
CHECKS.mention = function(conversation, account, value)
  if value ~= 'all' then return end
  local refused = forbids(account, conversation, 'mention_all')
  return refused and table.concat(refused, ' ') or nil
end
