-- A page of a log with the membership version that it was read under, so that nobody is given what came after a leave.
-- args: conversation, after (position), upto (position or ''), count.
-- Gives {membership version, flat array of position, body}.
local conversation, after, upto, count = unpack(args)
local entries = call('XRANGE', 'log:' .. conversation, '(' .. after, upto == '' and '+' or upto, 'COUNT', count)
local out = {}
for i, entry in ipairs(entries) do out[2 * i - 1], out[2 * i] = entry[1], entry[2][4] end
return {tonumber(call('HGET', 'meta:' .. conversation, 'v') or 0), out}
