-- Create a link that leads into a topic.
-- args: server, incarnation, epoch, account, topic, fingerprint (of its code), life (ms), uses ('' for any number),
--   approval (whether it only leads to a request), most (links of a topic)
-- reply: OK, end of its life (ms)
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>, MUTED <until>, FULL <limit>
-- writes: link:<fingerprint> links:<conversation>
--- @include "fence"
--- @include "enabled"
--- @include "rights"
--- @include "links"

local server, incarnation, epoch, account, topic, fingerprint, life, uses, approval, most = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'link')
if refused then return refused end
if not enabled('links') then return {'TRYAGAIN'} end
remove_ended(conversation)
if call('SCARD', 'links:' .. conversation) >= most then return {'FULL', most} end
local key, till = 'link:' .. fingerprint, milliseconds() + life
local created = call('HGET', 'topic:' .. conversation, 'created')
call('HSET', key, 'topic', topic, 'created', created, 'by', account, 'until', string.format('%d', till), 'left', uses,
  'approval', approval and '1' or '')
call('PEXPIREAT', key, string.format('%d', till + KEPT))
call('SADD', 'links:' .. conversation, fingerprint)
return {'OK', till}
