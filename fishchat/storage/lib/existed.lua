--- @include "positions"

-- Return whether a message may have had this position. One that is gone lies between its neighbours in the log.
local function existed(conversation, at)
  local _, number = position(at)
  if number < 1 then return false end
  local log = 'log:' .. conversation
  local after = call('XRANGE', log, at, '+', 'COUNT', 1)[1]
  if after and after[1] == at then return true end
  if after and select(2, position(after[1])) <= number then return false end
  local before = call('XREVRANGE', log, at, '-', 'COUNT', 1)[1]
  return not before or select(2, position(before[1])) < number
end
