-- Read a page of a log together with the membership version under which it was read.
-- args: conversation, after (position), upto (position or ''), count
-- reply: membership version, entries (flat: position, body)

-- The version shows whether a member left meanwhile, so that nobody gets what came after a leave.

local conversation, after, upto, count = unpack(args)
local entries = call('XRANGE', 'log:' .. conversation, '(' .. after, upto == '' and '+' or upto, 'COUNT', count)
local out = {}
for i, entry in ipairs(entries) do out[2 * i - 1], out[2 * i] = entry[1], entry[2][4] end
return {tonumber(call('HGET', 'meta:' .. conversation, 'v') or 0), out}
