-- The last step of a deletion: the list of an account's conversations and topics. args: account. Gives 'OK'.
local account = args[1]
call('DEL', 'talks:' .. account, 'topics:' .. account, 'cursor:' .. account)
return 'OK'
