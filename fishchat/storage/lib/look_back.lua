--- @include "amended"
--- @include "bodies"

-- A number that a device has used before: the same body returns its first position, another one is a conflict. The newest
-- entries of a stream are read once a batch, only as far as they are needed. A batch reads at most so many entries, and
-- answers TRYAGAIN then: the next one goes on.
local DEPTH, FIRST_PAGE, PAGE, budget = 1000, 10, 100, 3000
local tails, recalls, has_looked_back = {}, {}, false

-- Return the newest entry whose body begins with this head, or nil and perhaps TRYAGAIN.
local function entry_with(stream, head)
  local tail = tails[stream]
  if not tail then
    tail = {from = '+', left = DEPTH, page = FIRST_PAGE, entries = {}}
    tails[stream] = tail
  end
  while not tail.entries[head] and tail.left > 0 do
    if budget <= 0 then return nil, 'TRYAGAIN' end
    local page = call('XREVRANGE', stream, tail.from, '-', 'COUNT', tail.page)
    budget = budget - #page
    for _, entry in ipairs(page) do
      local one = head_of(entry[2][4])
      if not tail.entries[one] then tail.entries[one] = entry end
    end
    if #page < tail.page then
      tail.left = 0
    else
      tail.from, tail.left = '(' .. page[#page][1], tail.left - #page
      tail.page = math.min(PAGE, tail.left)
    end
  end
  return tail.entries[head]
end

local function seen_in(stream, body, head, expected)
  local entry, word = entry_with(stream, head)
  if not entry then return word end
  local stored = entry[2][4]
  -- A scrub leaves no text of a message that was edited, so there is nothing to compare.
  if stored == body or stored == string.match(body, '^%S+ %S+ %S+ %S+ ') then
    return 'DUP ' .. entry[1] .. ' ' .. entry[2][2]
  end
  return 'CONFLICT expected=' .. expected
end

-- Return head → position and time of the messages that were recalled lately.
local function recalls_of(conversation)
  local found = recalls[conversation]
  if found then return found end
  found = {}
  recalls[conversation] = found
  local numbers = call('ZREVRANGE', 'changed:' .. conversation, 0, 199)
  if #numbers == 0 then return found end
  budget = budget - #numbers
  for i, value in ipairs(call('HMGET', 'amended:' .. conversation, unpack(numbers))) do
    local state = amendment_of(value)
    if state.recalled then
      local head = state.account .. ' ' .. state.device .. ' ' .. state.cseq .. ' '
      found[head] = found[head] or state.epoch .. '-' .. numbers[i] .. ' ' .. state.time
    end
  end
  return found
end

-- The text of a recalled message is gone and cannot be compared; its number was used for it all the same.
local function seen_recalled(conversation, head)
  local at = recalls_of(conversation)[head]
  return at and 'DUP ' .. at
end

local function look_back(conversation, body, expected)
  has_looked_back = true
  local head = head_of(body)
  return seen_in('log:' .. conversation, body, head, expected)
    or seen_in('ops:' .. conversation, body, head, expected)
    or seen_recalled(conversation, head)
    or 'OLD'
end

-- Take note of what this batch has stored: a later message of it may have the same number.
local function note_stored(stream, at, time, body)
  local tail = tails[stream]
  if tail then tail.entries[head_of(body)] = {at, {'t', time, 'm', body}} end
end
