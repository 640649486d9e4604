-- Refund the guess for a secret that was right or was not checked.
-- args: account, address ('' if not counted), ms for one more of the account, ms for one more of the address
-- reply: OK
-- writes: guesses:<name>
--- @include "budgets"

local account, address, each, address_each = unpack(args)
refund('guesses:' .. account, each)
if address ~= '' then refund('guesses:@' .. address, address_each) end
return 'OK'
