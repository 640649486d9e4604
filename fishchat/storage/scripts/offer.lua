-- Writes an invitation down. args: fingerprint, uses, ms until it ends, account that it is for or ''. Gives 'OK'.
local fingerprint, uses, lives, account = unpack(args)
local key = 'invitation:' .. fingerprint
call('HSET', key, 'uses', uses, 'made', milliseconds())
if account ~= '' then call('HSET', key, 'account', account) end
call('PEXPIRE', key, lives)
return 'OK'
