-- Apply the retention of one conversation: age first, then count. Operations on removed messages are removed with them.
-- args: conversation, earliest (first time that can be right, in ms), oldest (time to keep, in ms), count (messages to
--   keep), most (entries to check in this call)
-- reply: messages removed, 1 if there may be more
-- writes: log:<conversation> ops:<conversation> meta:<conversation> quiet:<conversation> changed:<conversation>
--   amended:<conversation> react:<conversation>:<number> pins:<conversation>
--- @include "positions"
--- @include "dated"
--- @include "forget"

-- A conversation may have this many times as many operations as messages.
local OPERATIONS = 4

local conversation, earliest, oldest, count, most = unpack(args)
local log, ops = 'log:' .. conversation, 'ops:' .. conversation
local more = 0

-- Return the last entry of a stream that is too old, of those that this call checks.
local function last_old(key)
  local first = first_dated(key, earliest)
  local last, from, looked = nil, first and first[1], 0
  while from do
    local page = call('XRANGE', key, from, '+', 'COUNT', 100)
    for _, entry in ipairs(page) do
      local time = tonumber(entry[2][2])
      if time >= oldest or time < earliest then return last end
      last = entry[1]
    end
    looked = looked + 100
    if #page < 100 then return last end
    if looked >= most then
      more = 1
      return last
    end
    from = '(' .. last
  end
  return last
end

-- Remove the entries of a stream up to one of them.
local function cut(key, last)
  -- Trim to an entry that stays, never to an id that may have been deleted: that could leave a node without live entries,
  -- which some versions of Redis refuse to load (redis issue 15808).
  local stays = call('XRANGE', key, '(' .. last, '+', 'COUNT', 1)[1]
  if stays then call('XTRIM', key, 'MINID', stays[1]) else call('DEL', key) end
end

local before = call('XLEN', log)
local last = last_old(log)
if last then cut(log, last) end
-- In steps as well: after a change of the configuration there may be a million messages too many.
local excess = call('XLEN', log) - count
if excess > 0 then
  if excess > most then more = 1 end
  local page = call('XRANGE', log, '-', '+', 'COUNT', math.min(excess, most))
  last = page[#page][1]
  cut(log, last)
end
local meta = call('HMGET', 'meta:' .. conversation, 't', 'k', 'o')
-- The last number that retention removed: a device that has not read it receives RESP_GAP. Missing numbers above it were
-- recalled or erased, and are skipped.
local trimmed = math.max(tonumber(meta[1] or 0), last and select(2, position(last)) or 0)
if last then call('HSET', 'meta:' .. conversation, 't', trimmed) end
if meta[2] then
  local old = last_old(ops)
  if old then cut(ops, old) end
  local kept = call('XRANGE', ops, '-', '+', 'COUNT', most)
  local below
  for _, entry in ipairs(kept) do
    if select(2, position(entry[1])) > trimmed then break end
    below = entry[1]
  end
  if below then
    cut(ops, below)
    if below == kept[#kept][1] then more = 1 end
  end
  if thin_out(conversation, OPERATIONS * count, tonumber(meta[3] or 0), most) then more = 1 end
  if forget(conversation, trimmed, oldest, most) then more = 1 end
end
local left = call('XLEN', log)
if left == 0 then call('DEL', log) end
return {before - left, more}
