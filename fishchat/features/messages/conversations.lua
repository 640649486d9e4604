-- List some conversations of an account.
-- args: account, cursor ('0' to begin), count
-- reply: cursor for more ('0' at the end), conversations (in no order, perhaps repeated)

local account, cursor, count = unpack(args)
local found = call('HSCAN', 'talks:' .. account, cursor, 'COUNT', count)
local out = {}
for i = 1, #found[2], 2 do out[#out + 1] = found[2][i] end
return {found[1], out}
