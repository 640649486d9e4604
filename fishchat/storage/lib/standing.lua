--- @include "positions"

-- Return the last number of a conversation that an account may see, the number that it has read, and how many messages
-- above that are unread.
local function standing(account, conversation, spans)
  local meta = call('HMGET', 'meta:' .. conversation, 'n', 'r:' .. account, 'k')
  local read, unread = tonumber(meta[2] or 0), 0
  local top = string.match(spans, ':([%d%-]*)$')
  local last = top == '' and tonumber(meta[1] or 0) or select(2, position(top))
  if last <= read then return last, read, 0 end
  -- Messages at either end that retention removed or an account deletion erased can no longer be read.
  local log = 'log:' .. conversation
  local first = call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  local newest = call('XREVRANGE', log, top == '' and '+' or top, '-', 'COUNT', 1)[1]
  if not newest then return last, read, 0 end
  local below, live = select(2, position(first[1])) - 1, select(2, position(newest[1]))
  for from, upto in string.gmatch(spans, '%d+%-(%d+):([%d%-]*)') do
    local highest = upto == '' and live or math.min(live, select(2, position(upto)))
    local lowest = math.max(tonumber(from), read, below)
    if highest > lowest then
      unread = unread + highest - lowest
      if meta[3] then unread = unread - call('ZCOUNT', 'quiet:' .. conversation, '(' .. lowest, highest) end
    end
  end
  return last, read, unread
end
