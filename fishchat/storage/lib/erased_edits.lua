--- @include "fold"

-- A message has at most a hundred edits. A batch erases about these many, those of all its messages together.
local erasable = 2000

-- Erase all edits of a message. Return the entries that they were, the newest first.
local function erased_edits(conversation, state)
  local edits = edits_of(conversation, state)
  for _, edit in ipairs(edits) do call('XDEL', 'ops:' .. conversation, edit[1]) end
  erasable = erasable - #edits
  return edits
end
