-- The numbers of what may be done to one message, and of the pins of a conversation.
local EDITS, KINDS_OF_REACTIONS, OWN_REACTIONS, PINS = 100, 20, 8, 50
-- In a topic with more members, reactions are neither pushed one by one nor replayed.
local LARGE = 500

-- Return the refusal of a change that comes too late, or nil. In one's own notes nothing is too late.
local function too_late(op, most, now)
  local one, other = string.match(op.conversation, '^([^#@+]+)%+(.+)$')
  if most < 0 or (one and one == other) then return end
  if tonumber(now) - op.message.time >= most then return 'TOOLATE limit=' .. string.format('%d', most / 1000) .. 's' end
end
