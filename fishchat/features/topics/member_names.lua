-- List the names of some members of a topic, for one of them.
-- args: account, topic, cursor ('0' to begin)
-- reply: OK, cursor for more ('0' at the end), accounts (in no order, perhaps repeated)
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"

local account, topic, cursor = unpack(args)
local conversation = '#' .. topic
local refused = forbids(account, conversation, 'list')
if refused then return refused end
local found = call('HSCAN', 'members:' .. conversation, cursor, 'COUNT', 500)
local names = {}
for i = 1, #found[2], 2 do names[#names + 1] = found[2][i] end
return {'OK', found[1], names}
