-- Create a topic; its creator owns it and is its first member.
-- args: server, incarnation, epoch, account, topic, kind, topics (per account, at most)
-- reply: OK, membership version, position after which the member sees messages
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, EXISTS, FULL <limit>
-- writes: topic:<conversation> members:<conversation> topics:<account> talks:<account> meta:<conversation>
--- @include "fence"
--- @include "deleted"
--- @include "clock"
--- @include "positions"
--- @include "spans"

local server, incarnation, epoch, account, topic, kind, most = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
if is_deleted(account) then return {'NOTFOUND'} end
if call('EXISTS', 'topic:' .. conversation, 'dismissed:' .. conversation) > 0 then return {'EXISTS'} end
if call('SCARD', 'topics:' .. account) >= most then return {'FULL', most} end
call('HSET', 'topic:' .. conversation, 'owner', account, 'kind', kind, 'created', milliseconds())
local after = last_of(conversation)
call('HSET', 'members:' .. conversation, account, after)
call('SADD', 'topics:' .. account, topic)
open_span(account, conversation, after)
return {'OK', call('HINCRBY', 'meta:' .. conversation, 'v', 1), after}
