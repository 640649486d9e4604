--- @include "fold"
--- @include "sight"

-- Return a stored message of a conversation ({position, {'t', time, 'm', body}}), with the text that stands for an account
-- with these spans; nil if there is none at this position, or if it was recalled.
local function entry_of(conversation, at, spans)
  local entry = call('XRANGE', 'log:' .. conversation, at, at)[1]
  if not entry then return nil end
  local state = amended(conversation, select(2, position(at)))
  if state.recalled then return nil end
  local body = edited_body(conversation, entry[2][4], state, function(one) return sees(spans, one) end)
  return {at, {'t', entry[2][2], 'm', body}}
end
