-- Finish a deletion: remove the list of conversations and topics of the account.
-- args: account
-- reply: OK
-- writes: talks:<account> topics:<account> cursor:<account> erasing

local account = args[1]
call('UNLINK', 'talks:' .. account, 'topics:' .. account, 'cursor:' .. account)
call('SREM', 'erasing', account)
return 'OK'
