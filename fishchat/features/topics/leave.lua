-- End a membership.
-- args: server, incarnation, epoch, account, topic
-- reply: OK, membership version
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, NOTMEMBER, OWNER
-- writes: members:<conversation> topics:<account> talks:<account> meta:<conversation>
--- @include "fence"
--- @include "rights"
--- @include "positions"
--- @include "spans"

local server, incarnation, epoch, account, topic = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'leave')
if refused then return refused end
call('HDEL', 'members:' .. conversation, account)
call('SREM', 'topics:' .. account, topic)
close_span(account, conversation, last_of(conversation))
return {'OK', call('HINCRBY', 'meta:' .. conversation, 'v', 1)}
