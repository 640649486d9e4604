--- @include "fold"

-- A message has at most a hundred edits. A batch erases about these many, those of all its messages together. One that
-- may mention members counts as several.
local erasable, MENTIONING = 1000, 10

-- Erase all edits of a message. Return the entries that they were, the newest first.
local function erased_edits(conversation, state)
  local edits = edits_of(conversation, state)
  for _, edit in ipairs(edits) do
    call('XDEL', 'ops:' .. conversation, edit[1])
    local is_mentioning = string.find(edit[2][4], '@', 1, true) or string.find(edit[2][4], ';mention=', 1, true)
    erasable = erasable - (is_mentioning and MENTIONING or 1)
  end
  return edits
end
