-- Refund a sign-up or a password change for which there was no time to hash.
-- args: address of the sign-up or '', account of the change or '', ms for one more
-- reply: OK
-- writes: signups:<address> changes:<account>
--- @include "budgets"

local address, account, each = unpack(args)
if address ~= '' then refund('signups:' .. address, each) end
if account ~= '' then refund('changes:' .. account, each) end
return 'OK'
