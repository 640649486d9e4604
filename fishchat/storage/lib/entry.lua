--- @include "fold"

-- Return a stored message of a conversation ({position, {'t', time, 'm', body}}), with the text that stands now; nil if there
-- is none at this position, or if it was recalled.
local function entry_of(conversation, at)
  local entry = call('XRANGE', 'log:' .. conversation, at, at)[1]
  if not entry then return nil end
  local state = amended(conversation, select(2, position(at)))
  if state.recalled then return nil end
  return {at, {'t', entry[2][2], 'm', edited_body(conversation, entry[2][4], state)}}
end
