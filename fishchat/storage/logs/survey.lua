-- Estimate what retention would remove from some conversations. The estimate is never too low: see trim.
-- args: conversations, earliest (first time that can be right, in ms), oldest (time to keep, in ms), count (entries to
--   keep)
-- reply: for each conversation (flat): entries, entries to remove, time of the last one
--- @include "positions"
--- @include "dated"

local conversations, earliest, oldest, count = unpack(args)

local function is_old(entry) return tonumber(entry[2][2]) < oldest end
local function from(log, at) return call('XRANGE', log, at, '+', 'COUNT', 1)[1] end

-- Return the number of the last old entry: a binary search for its epoch, then for its number. A log may have a
-- million entries.
local function last_old(log, low, high)
  while low < high do
    local middle = math.ceil((low + high) / 2)
    local entry = from(log, middle .. '-0')
    if entry and is_old(entry) then low = middle else high = middle - 1 end
  end
  local epoch = low
  low = select(2, position(from(log, epoch .. '-0')[1]))
  high = select(2, position(call('XREVRANGE', log, '(' .. epoch + 1 .. '-0', '-', 'COUNT', 1)[1][1]))
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if is_old(from(log, epoch .. '-' .. middle)) then low = middle else high = middle - 1 end
  end
  return low
end

local function aged(log, length, last)
  local first = first_dated(log, earliest)
  if not first or not is_old(first) then return 0 end
  if is_old(last) then return length end
  local number = last_old(log, position(first[1]), (position(last[1])))
  local _, before = position(from(log, '-')[1])
  return math.min(length, number - before + 1)
end

local found = {}
for _, conversation in ipairs(conversations) do
  local log = 'log:' .. conversation
  local length = call('XLEN', log)
  local last = call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if last then
    local old = aged(log, length, last)
    table.insert(found, length)
    table.insert(found, old + math.max(0, length - old - count))
    table.insert(found, tonumber(last[2][2]))
  else
    for _ = 1, 3 do table.insert(found, 0) end
  end
end
return found
