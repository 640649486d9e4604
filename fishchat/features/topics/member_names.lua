-- List the names of some members of a topic, for one of them.
-- args: account, topic, cursor ('0' to begin), known (membership version, or -1)
-- reply: OK, cursor for more ('0' at the end), accounts (in no order, perhaps repeated; none if the version is the known one),
--   membership version
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"

local account, topic, cursor, known = unpack(args)
local conversation = '#' .. topic
local refused = forbids(account, conversation, 'list')
if refused then return refused end
local version = tonumber(call('HGET', 'meta:' .. conversation, 'v') or 0)
if version == tonumber(known) then return {'OK', '0', {}, version} end
local found = call('HSCAN', 'members:' .. conversation, cursor, 'COUNT', 500)
local names = {}
for i = 1, #found[2], 2 do names[#names + 1] = found[2][i] end
return {'OK', found[1], names, version}
