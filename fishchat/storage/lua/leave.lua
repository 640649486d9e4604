-- Ends a membership. args: server, incarnation, epoch, account, topic. Gives {'OK', membership version} or {'WORD'}.
local server, incarnation, epoch, account, topic = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
local owner = call('HGET', 'topic:' .. conversation, 'owner')
if not owner then return {'NOTFOUND'} end
if call('HEXISTS', 'members:' .. conversation, account) == 0 then return {'NOTMEMBER'} end
if owner == account then return {'OWNER'} end
call('HDEL', 'members:' .. conversation, account)
call('SREM', 'topics:' .. account, topic)
close_span(account, conversation, last_of(conversation))
return {'OK', call('HINCRBY', 'meta:' .. conversation, 'v', 1)}
