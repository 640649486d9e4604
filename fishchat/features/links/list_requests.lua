-- List the requests to join a topic, for an admin of it.
-- args: account, topic
-- reply: OK, packed (flat: account, time in ms and text)
-- refuses: NOTFOUND, NOTMEMBER, RIGHTS <needs>
--- @include "rights"

local account, topic = unpack(args)
local conversation = '#' .. topic
local refused = forbids(account, conversation, 'admit')
if refused then return refused end
return {'OK', cmsgpack.pack(call('HGETALL', 'asked:' .. conversation))}
