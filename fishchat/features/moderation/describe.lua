-- Describe a topic, for a member; other accounts learn less, and only about a topic that they can find or join.
-- args: account, device ('*' for the operator), topic
-- reply: OK, packed (flat: name of a setting, its value)
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"
--- @include "topic_settings"

-- What an account that is no member may know.
local PUBLIC = {name = true, about = true, kind = true}

local account, device, topic = unpack(args)
local conversation = '#' .. topic
local role, exists = role_of(account, conversation)
if not exists then return {'NOTFOUND'} end
local is_inside = role or device == '*'
local found = call('HMGET', 'topic:' .. conversation, 'owner', 'created', 'kind', 'listed')
local is_public = found[3] == 'open' or found[4] == 'yes'
  or call('SISMEMBER', 'invited:' .. conversation, account) == 1
if not is_inside and not is_public then return {'NOTMEMBER'} end

local out = {}
local function add(name, value)
  out[#out + 1], out[#out + 2] = name, value
end

for _, setting in ipairs(topic_settings(conversation)) do
  local name, value = unpack(setting)
  if value ~= '' and (is_inside or PUBLIC[name]) then add(name, value) end
end
add('owner', found[1])
add('members', tostring(call('HLEN', 'members:' .. conversation)))
if is_inside then
  add('admins', tostring(call('HLEN', 'admins:' .. conversation)))
  add('created', found[2] or '0')
end
if role then add('role', role) end
return {'OK', cmsgpack.pack(out)}
