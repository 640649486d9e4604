-- Read how often each reaction was given to some messages.
-- args: conversation, positions (100 at most)
-- reply: for each position the reactions as in a tag, or '-' if there are none
--- @include "amended"
--- @include "positions"

local conversation, wanted = unpack(args)
local out = {}
for i, at in ipairs(wanted) do
  local state = amended(conversation, select(2, position(at)))
  out[i] = state.reactions or '-'
end
return out
