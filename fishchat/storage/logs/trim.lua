-- Apply the retention of one conversation: age first, then count.
-- args: conversation, earliest (first time that can be right, in ms), oldest (time to keep, in ms), count (entries to
--   keep), most (entries to check in this call)
-- reply: entries removed, 1 if there may be more
-- writes: log:<conversation> meta:<conversation>
--- @include "positions"
--- @include "dated"

local conversation, earliest, oldest, count, most = unpack(args)
local log = 'log:' .. conversation
local before = call('XLEN', log)
local first = first_dated(log, earliest)
local last_old, from, looked, more = nil, first and first[1], 0, first and 1 or 0
while more == 1 and looked < most do
  local page = call('XRANGE', log, from, '+', 'COUNT', 100)
  if #page < 100 then more = 0 end
  for _, entry in ipairs(page) do
    local time = tonumber(entry[2][2])
    if time >= oldest or time < earliest then
      more = 0
      break
    end
    last_old = entry[1]
  end
  if last_old then from = '(' .. last_old end
  looked = looked + 100
end
if last_old then
  -- Trim to an entry that stays, never to an id that may have been deleted: that could leave a node without live entries,
  -- which some versions of Redis refuse to load (redis issue 15808).
  local stays = call('XRANGE', log, '(' .. last_old, '+', 'COUNT', 1)[1]
  if stays then call('XTRIM', log, 'MINID', stays[1]) else call('DEL', log) end
end
-- In steps as well: after a change of the configuration there may be a million entries too many.
local length = call('XLEN', log)
if length > count then
  call('XTRIM', log, 'MAXLEN', math.max(count, length - most))
  if length - most > count then more = 1 end
end
local left = call('XLEN', log)
if left < before then
  -- The last number that retention removed: a device that has not read it receives RESP_GAP. Missing numbers above it
  -- were erased, and are skipped.
  local first = call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  local number = first and select(2, position(first[1])) - 1 or call('HGET', 'meta:' .. conversation, 'n')
  if number then call('HSET', 'meta:' .. conversation, 't', number) end
  if not first then call('DEL', log) end
end
return {before - left, more}
