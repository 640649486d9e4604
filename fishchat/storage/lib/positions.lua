-- A position is 'epoch-seq'.
local function position(text)
  local epoch, seq = string.match(text, '^(%d+)-(%d+)$')
  return tonumber(epoch), tonumber(seq)
end

local function above(one, other)
  local e1, s1 = position(one)
  local e2, s2 = position(other)
  return e1 > e2 or (e1 == e2 and s1 > s2)
end

-- Return the last position of a conversation, '0-0' if it has none.
local function last_of(conversation)
  local found = call('HMGET', 'meta:' .. conversation, 'e', 'n')
  return (found[1] or '0') .. '-' .. (found[2] or '0')
end
