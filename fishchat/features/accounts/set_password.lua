-- Set the password of an account; all tokens and sessions but those of the kept device end.
-- args: account, argon2 hash, SCRAM verifier, keep (device or ''), session (that the kept device must have, or '')
-- reply: OK, sessions ended
-- refuses: NOTFOUND, STATE
-- writes: account:<account> tokens:<account> guesses:<name> session:<account> on:<server>:<incarnation>
--   seen:<account> at:<account> revocations
--- @include "vital"
--- @include "sessions"

local account, argon, scram, keep, session = unpack(args)
if call('HEXISTS', 'account:' .. account, 'created') == 0 then return {'NOTFOUND'} end
if session ~= '' and call('HGET', 'session:' .. account, keep) ~= session then return {'STATE'} end
-- A password that somebody else knows must end.
begin_vital()
call('HSET', 'account:' .. account, 'argon', argon, 'scram', scram)
call('HINCRBY', 'account:' .. account, 'version', 1)
for _, device in ipairs(call('HKEYS', 'tokens:' .. account)) do
  if device ~= keep then call('HDEL', 'tokens:' .. account, device) end
end
call('DEL', 'guesses:' .. account)
return {'OK', end_sessions(account, '', keep, 'password')}
