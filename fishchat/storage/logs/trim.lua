-- Apply the retention of one conversation: age first, then count.
-- args: conversation, oldest (time to keep, in ms), count (entries to keep), most (entries to check in this call)
-- reply: entries removed, 1 if there may be more
-- writes: log:<conversation>

local conversation, oldest, count, most = unpack(args)
local log = 'log:' .. conversation
local before = call('XLEN', log)
local last_old, from, looked, more = nil, '-', 0, 1
while more == 1 and looked < most do
  local page = call('XRANGE', log, from, '+', 'COUNT', 100)
  if #page < 100 then more = 0 end
  for _, entry in ipairs(page) do
    if tonumber(entry[2][2]) >= oldest then
      more = 0
      break
    end
    last_old = entry[1]
  end
  if last_old then from = '(' .. last_old end
  looked = looked + 100
end
if last_old then
  local epoch, seq = string.match(last_old, '^(%d+)-(%d+)$')
  call('XTRIM', log, 'MINID', epoch .. '-' .. string.format('%.0f', seq + 1))
end
-- By steps as well: after a change of the configuration there may be a million too many.
local length = call('XLEN', log)
if length > count then
  call('XTRIM', log, 'MAXLEN', math.max(count, length - most))
  if length - most > count then more = 1 end
end
local left = call('XLEN', log)
if left == 0 then call('DEL', log) end  -- the numbers are in 'meta:'
return {before - left, more}
