--- @include "amended"
--- @include "positions"

-- Return what a scrub keeps of a stored message. If replaced texts are not kept, nothing is left of the text of a message
-- that was edited: readers see the text of the last edit, which is an entry of its own.
local function scrubbed_body(conversation, at, body, keeps_replaced)
  if keeps_replaced then return body end
  local state = amended(conversation, select(2, position(at)))
  if not state.edit or state.edit == '-' then return body end
  return string.match(body, '^%S+ %S+ %S+ %S+ ')
end
