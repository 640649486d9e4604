-- Sets an account's password: all tokens but the kept device's end, and all other sessions.
-- args: account, argon2 hash, SCRAM verifier, device that is kept or '', session that this one must have ('' any).
-- Gives {'OK', sessions ended}, {'NOTFOUND'}, or {'STATE'} when that session is over.
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
return {'OK', take_back(account, '', keep, 'password')}
