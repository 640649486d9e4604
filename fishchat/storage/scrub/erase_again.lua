-- Erase messages again in a store that was restored from an earlier backup, and record what was erased.
-- args: erasures (flat: what, time in ms; what is the id of a message, or an account that the caller has erased)
-- reply: messages that were there
-- writes: log:<conversation> ops:<conversation> unscrubbed erasures
--- @include "erased"

local found = 0
for i = 1, #args[1], 2 do
  local what, time = args[1][i], args[1][i + 1]
  local conversation, position = string.match(what, '^(.+):(%d+%-%d+)$')
  if conversation then
    local removed = call('XDEL', 'log:' .. conversation, position) + call('XDEL', 'ops:' .. conversation, position)
    if removed > 0 then
      found = found + 1
      mark_unscrubbed(conversation)
    end
  end
  call('ZADD', 'erasures', 'NX', time, what)
end
return found
