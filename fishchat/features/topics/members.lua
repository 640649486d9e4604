-- Describe some members of a topic, for one of them.
-- args: account, topic, names (500 at most)
-- reply: OK, packed (flat: account, owner, admin or member, read number, display name or '', until when it is muted in ms
--   or 0); accounts that are not members are left out
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"

local account, topic, names = unpack(args)
local conversation = '#' .. topic
local refused = forbids(account, conversation, 'list')
if refused then return refused end
local out = {}
if #names > 0 then
  local owner, now = call('HGET', 'topic:' .. conversation, 'owner'), milliseconds()
  local fields = {}
  for i, name in ipairs(names) do fields[i] = 'r:' .. name end
  local since = call('HMGET', 'members:' .. conversation, unpack(names))
  local read = call('HMGET', 'meta:' .. conversation, unpack(fields))
  local admins = call('HMGET', 'admins:' .. conversation, unpack(names))
  local muted = call('HMGET', 'muted:' .. conversation, unpack(names))
  for i, name in ipairs(names) do
    if since[i] then
      local o = #out
      local till = muted[i] and tonumber(string.match(muted[i], '^%d+')) or 0
      out[o + 1], out[o + 2] = name, name == owner and 'owner' or admins[i] and 'admin' or 'member'
      out[o + 3], out[o + 4] = tonumber(read[i] or 0), call('HGET', 'account:' .. name, 'name') or ''
      out[o + 5] = till > now and till or 0
    end
  end
end
return {'OK', cmsgpack.pack(out)}
