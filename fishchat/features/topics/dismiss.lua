-- End a topic: store a last notice in it, then remove its members, who keep what was said until then.
-- args: server, incarnation, epoch, account, topic, stream, body (of the notice)
-- reply: OK, conversation, epoch, number, body, membership version (of the notice)
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, OWNER
-- writes: topic:<conversation> members:<conversation> invited:<conversation> topics:<account> talks:<account>
--   log:<conversation> meta:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "spans"
--- @include "append"
--- @include "router"

local server, incarnation, epoch, account, topic, stream, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'dismiss')
if refused then return refused end
local version = tonumber(call('HGET', 'meta:' .. conversation, 'v'))
local n = append(conversation, epoch, body)
local names = call('HKEYS', 'servers')
tell_router(server, incarnation, epoch, stream, table.concat(names, ' '), conversation, n, version, body)
for _, member in ipairs(call('HKEYS', 'members:' .. conversation)) do
  close_span(member, conversation, epoch .. '-' .. n)
  call('SREM', 'topics:' .. member, topic)
end
call('DEL', 'members:' .. conversation, 'topic:' .. conversation, 'invited:' .. conversation)
call('HINCRBY', 'meta:' .. conversation, 'v', 1)
return {'OK', conversation, tonumber(epoch), n, body, version}
