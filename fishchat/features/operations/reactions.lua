-- List some of the accounts that have reacted to a message.
-- args: account, conversation, position, cursor ('0' to begin)
-- reply: OK, cursor for more ('0' at the end), reactions (flat: account, reaction as in a tag; perhaps repeated)
-- refuses: NOTFOUND, GONE
--- @include "visible"

local account, conversation, at, cursor = unpack(args)
local _, state, word = visible(account, conversation, at)
if word then return {word} end
if state.recalled then return {'GONE'} end
local found = call('HSCAN', 'react:' .. conversation .. ':' .. select(2, position(at)), cursor, 'COUNT', 500)
local out = {}
for i = 1, #found[2], 2 do
  out[#out + 1], out[#out + 2] = string.match(found[2][i], '^(%S+) (.*)$')
end
return {'OK', found[1], out}
