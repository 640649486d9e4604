-- Estimate what retention would remove from some conversations. The estimate is never too low: see trim.
-- args: conversations, earliest (first time that can be right, in ms), oldest (time to keep, in ms), count (entries to
--   keep)
-- reply: for each conversation (flat): entries, entries to remove, time of the last one
--- @include "positions"
--- @include "dated"

-- A conversation may have this many times as many operations as messages: see trim.
local OPERATIONS = 4

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

-- Return the entries of a stream, how many of them are due, and the time of the last one.
local function due_in(key, most)
  local length = call('XLEN', key)
  local last = call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if not last then return 0, 0, 0 end
  local old = aged(key, length, last)
  return length, old + math.max(0, length - old - most), tonumber(last[2][2])
end

local found = {}
for _, conversation in ipairs(conversations) do
  local length, due, time = due_in('log:' .. conversation, count)
  local operations, too_many, later = due_in('ops:' .. conversation, OPERATIONS * count)
  table.insert(found, length + operations)
  table.insert(found, due + too_many)
  table.insert(found, math.max(time, later))
end
return found
