-- Create an account.
-- args: account, argon2 hash or '', SCRAM verifier or '', display name or '', privacy or '', fingerprint of an
--   invitation or '', whether one is needed
-- reply: OK
-- refuses: INVITATION, EXISTS
-- writes: account:<account> invitation:<fingerprint>
--- @include "clock"

-- The name of a deleted account stays taken, so that another person cannot get it.

local account, argon, scram, name, privacy, invitation, needed = unpack(args)
local key = 'invitation:' .. invitation
if invitation ~= '' then
  local meant = call('HMGET', key, 'uses', 'account')
  if not meant[1] or (meant[2] and meant[2] ~= account) then return {'INVITATION'} end
elseif needed then
  return {'INVITATION'}
end
if call('EXISTS', 'account:' .. account) == 1 then return {'EXISTS'} end
if invitation ~= '' and call('HINCRBY', key, 'uses', -1) <= 0 then call('DEL', key) end
call('HSET', 'account:' .. account, 'created', milliseconds(), 'version', 1)
if argon ~= '' then call('HSET', 'account:' .. account, 'argon', argon, 'scram', scram) end
if name ~= '' then call('HSET', 'account:' .. account, 'name', name) end
if privacy ~= '' then call('HSET', 'account:' .. account, 'privacy', privacy) end
return {'OK'}
