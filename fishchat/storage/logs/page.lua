-- Read a page of a log together with the membership version under which it was read.
-- args: conversation, after (position), upto (position or ''), count
-- reply: membership version, last number that retention took, entries (flat: position, time in ms, body)

-- The version shows whether a member left meanwhile: a former member must not receive later messages.

local conversation, after, upto, count = unpack(args)
local entries = call('XRANGE', 'log:' .. conversation, '(' .. after, upto == '' and '+' or upto, 'COUNT', count)
local out = {}
for i, entry in ipairs(entries) do
  local o = 3 * i
  out[o - 2], out[o - 1], out[o] = entry[1], entry[2][2], entry[2][4]
end
local meta = call('HMGET', 'meta:' .. conversation, 'v', 't')
return {tonumber(meta[1] or 0), tonumber(meta[2] or 0), out}
