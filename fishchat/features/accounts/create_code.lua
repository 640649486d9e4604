-- Create a code that one device can redeem for a token.
-- args: fingerprint, account, ms until it ends
-- reply: OK
-- refuses: NOTFOUND
-- writes: code:<fingerprint>

-- A change of the password ends the code, as it ends tokens.

local fingerprint, account, lives = unpack(args)
local found = call('HMGET', 'account:' .. account, 'created', 'version')
if not found[1] then return {'NOTFOUND'} end
local key = 'code:' .. fingerprint
call('HSET', key, 'account', account, 'version', found[2])
call('PEXPIRE', key, lives)
return {'OK'}
