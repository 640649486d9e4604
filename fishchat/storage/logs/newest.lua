-- Find what is above a place of a device besides its newest messages, without reading it.
-- args: conversation, spans (flat: after, upto or ''), count
-- reply: membership version, last number that retention took, ranges (flat, for each span: first and last position besides
--   the newest messages, or '' twice)

local conversation, spans, count = unpack(args)
local log = 'log:' .. conversation
local out, left = {}, count
for s = #spans - 1, 1, -2 do
  local bottom, top = '(' .. spans[s], spans[s + 1] == '' and '+' or spans[s + 1]
  local newest = call('XREVRANGE', log, top, bottom, 'COUNT', left + 1)
  out[s], out[s + 1] = '', ''
  if #newest > left then
    out[s], out[s + 1] = call('XRANGE', log, bottom, top, 'COUNT', 1)[1][1], newest[left + 1][1]
    left = 0
  else
    left = left - #newest
  end
end
local meta = call('HMGET', 'meta:' .. conversation, 'v', 't')
return {tonumber(meta[1] or 0), tonumber(meta[2] or 0), out}
