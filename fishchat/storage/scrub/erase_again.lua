-- Erase messages again in a store that was restored from an earlier backup, and record what was erased.
-- args: erasures (flat: what, time in ms; what is the id of a message, or an account that the caller has erased)
-- reply: messages that were there
-- writes: log:<conversation> ops:<conversation> meta:<conversation> quiet:<conversation> amended:<conversation>
--   changed:<conversation> react:<conversation>:<number> pins:<conversation> mentions:<account> unscrubbed erasures
--- @include "erased"
--- @include "fold"
--- @include "mentions"
--- @include "quiet"
--- @include "unamend"

-- No recall is stored, because nobody recalls the message now: it is erased as the messages of a deleted account are.
local function erase_message(conversation, at)
  local entry = call('XRANGE', 'log:' .. conversation, at, at)[1]
  if not entry then return 0 end
  local number = select(2, position(at))
  local edit = amended(conversation, number).edit
  while edit and edit ~= '-' do
    local found = operation_at(conversation, edit)
    call('XDEL', 'ops:' .. conversation, edit)
    edit = found and found[2][5] == 'p' and found[2][6]
  end
  if string.sub(conversation, 1, 1) == '#' then forget_mentions(conversation, number, entry[2][4]) end
  call('XDEL', 'log:' .. conversation, at)
  add_quiet(conversation, number)
  unamend(conversation, number, at)
  mark_unscrubbed(conversation)
  return 1
end

local erased = 0
for i = 1, #args[1], 2 do
  local what, time = args[1][i], args[1][i + 1]
  local conversation, at = string.match(what, '^(.+):(%d+%-%d+)$')
  if conversation then erased = erased + erase_message(conversation, at) end
  call('ZADD', 'erasures', 'NX', time, what)
end
return erased
