--- @include "amended"
--- @include "bodies"

-- A number that a device has used before: the same body returns its first position, another one is a conflict. A batch
-- checks at most this many entries.
local budget = 20000

local function seen_in(log, body, head, expected)
  local from, left = '+', 1000
  while left > 0 do
    if budget <= 0 then return 'TRYAGAIN' end
    local page = call('XREVRANGE', log, from, '-', 'COUNT', 100)
    budget = budget - #page
    for _, entry in ipairs(page) do
      local stored = entry[2][4]
      -- A scrub leaves no text of a message that was edited, so there is nothing to compare.
      if stored == body or stored == string.match(body, '^%S+ %S+ %S+ %S+ ') then
        return 'DUP ' .. entry[1] .. ' ' .. entry[2][2]
      end
      if string.sub(stored, 1, #head) == head then return 'CONFLICT expected=' .. expected end
    end
    if #page < 100 then return end
    from, left = '(' .. page[#page][1], left - 100
  end
end

-- The text of a recalled message is gone and cannot be compared; its number was used for it all the same.
local function seen_recalled(conversation, head)
  local numbers = call('ZREVRANGE', 'changed:' .. conversation, 0, 199)
  if #numbers == 0 then return end
  budget = budget - #numbers
  local values = call('HMGET', 'amended:' .. conversation, unpack(numbers))
  for i, value in ipairs(values) do
    local state = amendment_of(value)
    if state.recalled and state.account .. ' ' .. state.device .. ' ' .. state.cseq .. ' ' == head then
      return 'DUP ' .. state.epoch .. '-' .. numbers[i] .. ' ' .. state.time
    end
  end
end

local function look_back(conversation, body, expected)
  local head = head_of(body)
  return seen_in('log:' .. conversation, body, head, expected)
    or seen_in('ops:' .. conversation, body, head, expected)
    or seen_recalled(conversation, head)
    or 'OLD'
end
