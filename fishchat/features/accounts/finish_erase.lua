-- Finish a deletion: remove the list of conversations and topics of the account, its requests to join topics, and its texts in
-- the notices of others.
-- args: account
-- reply: OK
-- writes: talks:<account> topics:<account> cursor:<account> erasing asked:<conversation> asking:<account> told:<account>
--   log:<conversation> quiet:<conversation> meta:<conversation> unscrubbed
--- @include "told"

local account = args[1]
for _, topic in ipairs(call('SMEMBERS', 'asking:' .. account)) do call('HDEL', 'asked:#' .. topic, account) end
erase_told(account)
call('DEL', 'talks:' .. account, 'topics:' .. account, 'cursor:' .. account, 'asking:' .. account)
call('SREM', 'erasing', account)
return 'OK'
