-- Make an account a member of a topic, if it is not one already.
-- args: server, incarnation, epoch, account, topic, members (at most), topics (per account, at most)
-- reply: OK, membership version, position after which the member sees messages
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, INVITEONLY, FULL <limit>
-- writes: members:<conversation> invited:<conversation> topics:<account> talks:<account> meta:<conversation>
--- @include "fence"
--- @include "deleted"
--- @include "positions"
--- @include "spans"

local server, incarnation, epoch, account, topic, most_members, most_topics = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
if is_deleted(account) then return {'NOTFOUND'} end
local kind = call('HGET', 'topic:' .. conversation, 'kind')
if not kind then return {'NOTFOUND'} end
local after = call('HGET', 'members:' .. conversation, account)
if after then return {'OK', tonumber(call('HGET', 'meta:' .. conversation, 'v')), after} end
if kind == 'invitation' and call('SISMEMBER', 'invited:' .. conversation, account) == 0 then return {'INVITEONLY'} end
if call('HLEN', 'members:' .. conversation) >= most_members then return {'FULL', most_members} end
if call('SCARD', 'topics:' .. account) >= most_topics then return {'FULL', most_topics} end
after = last_of(conversation)
call('SREM', 'invited:' .. conversation, account)
call('HSET', 'members:' .. conversation, account, after)
call('SADD', 'topics:' .. account, topic)
open_span(account, conversation, after)
return {'OK', call('HINCRBY', 'meta:' .. conversation, 'v', 1), after}
