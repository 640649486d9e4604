-- Lets an account join, and tells it in its notices.
-- args: server, incarnation, epoch, account, topic, guest, invitations of a topic at most, stream, body of the notice.
-- Gives {'OK', conversation, epoch, number, body} of the notice, {'OK'} when it was invited before, or {'WORD'}.
local server, incarnation, epoch, account, topic, guest, most, stream, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
if call('EXISTS', 'topic:' .. conversation) == 0 then return {'NOTFOUND'} end
if call('HEXISTS', 'members:' .. conversation, account) == 0 then return {'NOTMEMBER'} end
-- First: whoever is a member can be seen to be there, and 'NOTFOUND' would tell of a block.
if call('HEXISTS', 'members:' .. conversation, guest) == 1 then return {'EXISTS'} end
local word = refuses(account, guest)
if word then return {word} end
if call('SCARD', 'invited:' .. conversation) >= most then return {'FULL', most} end
if call('SADD', 'invited:' .. conversation, guest) == 0 then return {'OK'} end
local notices = '@' .. guest
open_span(guest, notices, '0-0')
local n = append(notices, epoch, body)
tell_router(server, incarnation, epoch, stream, elsewhere(call('GET', 'at:' .. guest), server), notices, n, 0, body)
return {'OK', notices, tonumber(epoch), n, body}
