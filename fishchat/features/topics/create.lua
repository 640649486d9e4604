-- Create a topic; its creator owns it and is its first member.
-- args: server, incarnation, epoch, account, topic, kind, topics (per account, at most), settings (flat: name, value)
-- reply: OK, membership version, position after which the member sees messages
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, EXISTS, FULL <limit>, TRYAGAIN
-- writes: topic:<conversation> members:<conversation> topics:<account> talks:<account> meta:<conversation> directory
--   asked:<conversation> links:<conversation> admins:<conversation> muted:<conversation> banned:<conversation>
--   slow:<conversation>
--- @include "fence"
--- @include "enabled"
--- @include "deleted"
--- @include "clock"
--- @include "positions"
--- @include "spans"
--- @include "restrictions"

local server, incarnation, epoch, account, topic, kind, most, settings = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
-- A server of an earlier version would let everybody in.
if (kind == 'approval' or #settings > 0) and not enabled('links') then return {'TRYAGAIN'} end
if is_deleted(account) then return {'NOTFOUND'} end
if call('EXISTS', 'topic:' .. conversation, 'dismissed:' .. conversation) > 0 then return {'EXISTS'} end
if call('SCARD', 'topics:' .. account) >= most then return {'FULL', most} end
-- A server of an earlier version that dismissed a topic of this name did not know these.
call('UNLINK', 'asked:' .. conversation, 'links:' .. conversation, 'admins:' .. conversation, 'muted:' .. conversation,
  'banned:' .. conversation, 'slow:' .. conversation)
local after = last_of(conversation)
call('HSET', 'topic:' .. conversation, 'owner', account, 'kind', kind, 'created', milliseconds(), 'since', after,
  unpack(settings))
call('HSET', 'members:' .. conversation, account, after)
call('SADD', 'topics:' .. account, topic)
if call('HGET', 'topic:' .. conversation, 'listed') == 'yes' then call('ZADD', 'directory', 0, topic) end
set_restrictions(conversation)
open_span(account, conversation, after)
return {'OK', call('HINCRBY', 'meta:' .. conversation, 'v', 1), after}
