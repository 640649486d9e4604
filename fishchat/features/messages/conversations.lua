-- List the conversations of an account.
-- args: account
-- reply: packed (flat: conversation, last number that it may see, number that it has read, unread); unread is the count
--   of numbers above the read one that the log may still have
--- @include "positions"

local account = args[1]
local talks = call('HGETALL', 'talks:' .. account)
local out = {}
for i = 1, #talks, 2 do
  local conversation, spans = talks[i], talks[i + 1]
  local meta = call('HMGET', 'meta:' .. conversation, 'n', 'r:' .. account)
  -- Messages at the beginning that retention removed or an account deletion erased can no longer be read.
  local first = call('XRANGE', 'log:' .. conversation, '-', '+', 'COUNT', 1)[1]
  local last, read, unread = 0, tonumber(meta[2] or 0), 0
  local below = first and select(2, position(first[1])) - 1 or math.huge
  for from, upto in string.gmatch(spans, '%d+%-(%d+):([%d%-]*)') do
    from = tonumber(from)
    last = upto == '' and tonumber(meta[1] or 0) or select(2, position(upto))
    unread = unread + math.max(0, last - math.max(from, read, below))
  end
  local o = #out
  out[o + 1], out[o + 2], out[o + 3], out[o + 4] = conversation, last, read, unread
end
return cmsgpack.pack(out)
