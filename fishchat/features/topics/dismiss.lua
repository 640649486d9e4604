-- End a topic: store a last notice in it and remove the topic. Its members are released by topics/release, in steps.
-- args: server, incarnation, epoch, account, topic, stream, body (of the notice)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice)
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, OWNER
-- writes: topic:<conversation> members:<conversation> dismissed:<conversation> dismissed invited:<conversation>
--   log:<conversation> meta:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "append"

-- From here on the topic has no members, but its name stays taken until all of them are released: the last message that
-- they may read is the notice, not one of a later topic with the same name.

local server, incarnation, epoch, account, topic, stream, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'dismiss')
if refused then return refused end
local notice = append(server, incarnation, epoch, stream, conversation, body)
call('DEL', 'topic:' .. conversation, 'invited:' .. conversation)
call('RENAME', 'members:' .. conversation, 'dismissed:' .. conversation)
call('SADD', 'dismissed', topic)
return notice
