-- The members of a topic, for one of them. args: account, topic.
-- Gives {'OK', packed flat array: account, owner or member, read number} or {'WORD'}.
local account, topic = unpack(args)
local conversation = '#' .. topic
local owner = call('HGET', 'topic:' .. conversation, 'owner')
if not owner then return {'NOTFOUND'} end
if call('HEXISTS', 'members:' .. conversation, account) == 0 then return {'NOTMEMBER'} end
local meta = pairs_of(call('HGETALL', 'meta:' .. conversation))
local out = {}
for _, member in ipairs(call('HKEYS', 'members:' .. conversation)) do
  local o = #out
  out[o + 1], out[o + 2] = member, member == owner and 'owner' or 'member'
  out[o + 3] = tonumber(meta['r:' .. member] or 0)
end
return {'OK', cmsgpack.pack(out)}
