-- Issue a token for a device without a login.
-- args: account, device, fingerprint, devices (at most)
-- reply: OK
-- refuses: NOTFOUND, DEVICES
-- writes: tokens:<account>
--- @include "issue"

local account, device, fingerprint, most = unpack(args)
if call('HEXISTS', 'account:' .. account, 'created') == 0 then return {'NOTFOUND'} end
return issue(account, device, fingerprint, most) or {'OK'}
