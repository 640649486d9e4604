-- List the members of a topic, for one of them.
-- args: account, topic
-- reply: OK, packed (flat: account, owner or member, read number)
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"
--- @include "maps"

local account, topic = unpack(args)
local conversation = '#' .. topic
local refused = forbids(account, conversation, 'list')
if refused then return refused end
local owner = call('HGET', 'topic:' .. conversation, 'owner')
local meta = pairs_of(call('HGETALL', 'meta:' .. conversation))
local out = {}
for _, member in ipairs(call('HKEYS', 'members:' .. conversation)) do
  local o = #out
  out[o + 1], out[o + 2] = member, member == owner and 'owner' or 'member'
  out[o + 3] = tonumber(meta['r:' .. member] or 0)
end
return {'OK', cmsgpack.pack(out)}
