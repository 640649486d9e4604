-- Issue a token for a device without a login.
-- args: account, device, fingerprint, devices (at most)
-- reply: OK
-- refuses: NOTFOUND, DEVICES
-- writes: tokens:<account>
--- @include "clock"
--- @include "tokens"

local account, device, fingerprint, most = unpack(args)
if call('HEXISTS', 'account:' .. account, 'created') == 0 then return {'NOTFOUND'} end
local devices = call('HKEYS', 'seen:' .. account)
for _, each in ipairs(call('HKEYS', 'tokens:' .. account)) do
  if call('HEXISTS', 'seen:' .. account, each) == 0 then devices[#devices + 1] = each end
end
local known = false
for _, each in ipairs(devices) do known = known or each == device end
if not known and #devices >= most then return {'DEVICES'} end
local now = milliseconds()
set_token(account, device, fingerprint, now, now)
return {'OK'}
