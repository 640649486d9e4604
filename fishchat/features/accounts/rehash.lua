-- Replace the hash of a secret by one of today's cost.
-- args: account, version (of the secret), argon2 hash, SCRAM verifier
-- reply: 1, or 0 if the secret has changed
-- writes: account:<account>

local account, version, argon, scram = unpack(args)
if call('HGET', 'account:' .. account, 'version') ~= version then return 0 end
call('HSET', 'account:' .. account, 'argon', argon, 'scram', scram)
return 1
