-- Erase messages again in a store that was restored from an earlier backup, and record what was erased.
-- args: erasures (flat: what, time in ms; what is the id of a message, with a blank and the position of an edit if that edit
--   replaced its text, or an account that the caller has erased)
-- reply: messages that were there
-- writes: log:<conversation> ops:<conversation> meta:<conversation> quiet:<conversation> amended:<conversation>
--   changed:<conversation> react:<conversation>:<number> pins:<conversation> mentions:<account> unscrubbed erasures
--- @include "erased"
--- @include "erased_edits"
--- @include "mentions"
--- @include "quiet"
--- @include "unamend"

-- No recall is stored, because nobody recalls the message now: it is erased as the messages of a deleted account are.
local function erase_message(conversation, at, edit)
  local entry = call('XRANGE', 'log:' .. conversation, at, at)[1]
  if not entry then return 0 end
  local number = select(2, position(at))
  local state = amended(conversation, number)
  if edit ~= '' and state.edit ~= '-' and not above(edit, state.edit) then return 0 end
  erased_edits(conversation, state)
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
  local conversation, at, edit = string.match(what, '^(%S+):(%d+%-%d+) ?(%S*)$')
  if conversation then erased = erased + erase_message(conversation, at, edit) end
  call('ZADD', 'erasures', 'NX', time, what)
end
write_mentions()
return erased
