-- Redeem a code for a token of a device. The code ends.
-- args: fingerprint of the code, account, device, fingerprint of the token, devices (at most), address ('' if not
--   counted), guesses of the address (0: no limit), ms for one more
-- reply: OK
-- refuses: AUTH, FLOOD <ms>, DEVICES
-- writes: code:<fingerprint> tokens:<account> guesses:<name>
--- @include "budgets"
--- @include "issue"

-- Whatever makes a code invalid has one answer: nothing is told about the account.

local code, account, device, fingerprint, most, address, guesses, each = unpack(args)
local key = 'code:' .. code
local meant = call('HMGET', key, 'account', 'version')
local found = call('HMGET', 'account:' .. account, 'created', 'disabled', 'version')
if meant[1] ~= account or not found[1] or found[2] or found[3] ~= meant[2] then
  local counted = address ~= '' and guesses > 0
  local wait = counted and take({{'guesses:@' .. address, guesses, each}}) or 0
  return wait > 0 and {'FLOOD', wait} or {'AUTH'}
end
local refused = issue(account, device, fingerprint, most)
if refused then return refused end
call('DEL', key)
return {'OK'}
