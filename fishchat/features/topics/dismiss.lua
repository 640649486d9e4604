-- End a topic: store a last notice in it and remove the topic. Its members are released by topics/release, in steps.
-- args: server, incarnation, epoch, account ('' for the operator), topic, stream, body (of the notice)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice)
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, OWNER
-- writes: topic:<conversation> members:<conversation> dismissed:<conversation> dismissed invited:<conversation>
--   admins:<conversation> muted:<conversation> banned:<conversation> slow:<conversation> asked:<conversation> pins:<conversation>
--   links:<conversation> link:<fingerprint> directory log:<conversation> meta:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "append"

-- From here on the topic has no members, but its name stays taken until all of them are released: the last message that
-- they may read is the notice, not one of a later topic with the same name.

local server, incarnation, epoch, account, topic, stream, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
if account ~= '' then
  refused = forbids(account, conversation, 'dismiss')
elseif call('EXISTS', 'topic:' .. conversation) == 0 then
  refused = {'NOTFOUND'}
end
if refused then return refused end
local notice = append(server, incarnation, epoch, stream, conversation, body)
for _, fingerprint in ipairs(call('SMEMBERS', 'links:' .. conversation)) do call('DEL', 'link:' .. fingerprint) end
call('DEL', 'topic:' .. conversation)
-- A later topic with this name begins without roles, sanctions and ways in. Redis frees these large keys in a thread.
for _, key in ipairs({'invited:', 'admins:', 'muted:', 'banned:', 'slow:', 'asked:', 'links:', 'pins:'}) do
  call('UNLINK', key .. conversation)
end
call('HDEL', 'meta:' .. conversation, 'b')
call('ZREM', 'directory', topic)
call('RENAME', 'members:' .. conversation, 'dismissed:' .. conversation)
call('SADD', 'dismissed', topic)
return notice
