-- Finish a deletion: remove the list of conversations and topics of the account.
-- args: account
-- reply: OK
-- writes: talks:<account> topics:<account> cursor:<account>

local account = args[1]
call('DEL', 'talks:' .. account, 'topics:' .. account, 'cursor:' .. account)
return 'OK'
