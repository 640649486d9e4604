-- Writes an invitation down. args: fingerprint, uses, ms until it ends, account that it is for or ''.
-- Gives {'OK'}, or {'EXISTS'} when that name is taken, which nobody could sign up for.
local fingerprint, uses, lives, account = unpack(args)
local key = 'invitation:' .. fingerprint
if account ~= '' and call('EXISTS', 'account:' .. account) == 1 then return {'EXISTS'} end
call('HSET', key, 'uses', uses, 'made', milliseconds())
if account ~= '' then call('HSET', key, 'account', account) end
call('PEXPIRE', key, lives)
return {'OK'}
