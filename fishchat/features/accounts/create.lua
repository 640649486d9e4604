-- Create an account.
-- args: account, argon2 hash or '', SCRAM verifier or '', display name or '', privacy or '', fingerprint of an
--   invitation or '', whether one is needed
-- reply: OK
-- refuses: BADNAME, INVITATION, EXISTS
-- writes: account:<account> invitation:<fingerprint>
--- @include "clock"
--- @include "sign_ups"

local account, argon, scram, name, privacy, invitation, needed = unpack(args)
local refused = refused_sign_up(account, invitation, needed)
if refused then return refused end
local key = 'invitation:' .. invitation
if invitation ~= '' and call('HINCRBY', key, 'uses', -1) <= 0 then call('DEL', key) end
call('HSET', 'account:' .. account, 'created', milliseconds(), 'version', 1)
if argon ~= '' then call('HSET', 'account:' .. account, 'argon', argon, 'scram', scram) end
if name ~= '' then call('HSET', 'account:' .. account, 'name', name) end
if privacy ~= '' then call('HSET', 'account:' .. account, 'privacy', privacy) end
return {'OK'}
