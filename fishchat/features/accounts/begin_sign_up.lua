-- Take a sign-up of an address, before the password is hashed.
-- args: account, fingerprint of an invitation or '', whether one is needed, address ('' if not counted), sign-ups (0: no
--   limit), ms for one more, guesses of the address, ms for one more
-- reply: OK
-- refuses: FLOOD <ms>, BADNAME, INVITATION, EXISTS, SIGNUPS <ms>
-- writes: signups:<address> guesses:<name>
--- @include "budgets"
--- @include "sign_ups"

-- A wrong invitation or a taken name is a guess of the address, and no sign-up.

local account, invitation, needed, address, most, each, guesses, guess_each = unpack(args)
local counted = address ~= '' and most > 0
local refused = refused_sign_up(account, invitation, needed)
if refused then
  local wait = counted and take({{'guesses:@' .. address, guesses, guess_each}}) or 0
  return wait > 0 and {'FLOOD', wait} or refused
end
local wait = counted and take({{'signups:' .. address, most, each}}) or 0
if wait > 0 then return {'SIGNUPS', wait} end
return {'OK'}
