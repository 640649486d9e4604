-- Describe some members of a topic, for one of them.
-- args: account, topic, names (500 at most)
-- reply: OK, packed (flat: account, owner or member, read number, display name or ''); accounts that are not members are
--   left out
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"

local account, topic, names = unpack(args)
local conversation = '#' .. topic
local refused = forbids(account, conversation, 'list')
if refused then return refused end
local out = {}
if #names > 0 then
  local owner = call('HGET', 'topic:' .. conversation, 'owner')
  local fields = {}
  for i, name in ipairs(names) do fields[i] = 'r:' .. name end
  local since = call('HMGET', 'members:' .. conversation, unpack(names))
  local read = call('HMGET', 'meta:' .. conversation, unpack(fields))
  for i, name in ipairs(names) do
    if since[i] then
      local o = #out
      out[o + 1], out[o + 2], out[o + 3] = name, name == owner and 'owner' or 'member', tonumber(read[i] or 0)
      out[o + 4] = call('HGET', 'account:' .. name, 'name') or ''
    end
  end
end
return {'OK', cmsgpack.pack(out)}
