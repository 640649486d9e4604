-- Create an invitation.
-- args: fingerprint, uses, ms until it ends, account or ''
-- reply: OK
-- refuses: BADNAME, EXISTS
-- writes: invitation:<fingerprint>
--- @include "clock"
--- @include "is_server"

-- EXISTS: the invitation would be useless, because its account exists already.

local fingerprint, uses, lives, account = unpack(args)
local key = 'invitation:' .. fingerprint
if is_server(account) then return {'BADNAME'} end
if account ~= '' and call('EXISTS', 'account:' .. account) == 1 then return {'EXISTS'} end
call('HSET', key, 'uses', uses, 'made', milliseconds())
if account ~= '' then call('HSET', key, 'account', account) end
call('PEXPIRE', key, lives)
return {'OK'}
