-- Puts a hash of today's cost in the place of an older one of the same secret.
-- args: account, version of the secret, argon2 hash, SCRAM verifier. Gives 1, or 0 when the secret is another one by now.
local account, version, argon, scram = unpack(args)
if call('HGET', 'account:' .. account, 'version') ~= version then return 0 end
call('HSET', 'account:' .. account, 'argon', argon, 'scram', scram)
return 1
