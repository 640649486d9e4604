--- @include "positions"
--- @include "sight"

-- Return whether an account may see a position of a conversation.
local function may_see(account, conversation, at)
  for after, upto in string.gmatch(sight_of(account, conversation) or '', '(%d+%-%d+):([%d%-]*)') do
    if above(at, after) and (upto == '' or not above(at, upto)) then return true end
  end
  return false
end
