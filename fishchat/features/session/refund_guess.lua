-- Refund the guess for a secret that was not checked.
-- args: account or '', address ('' if not counted), ms for one more
-- reply: OK
-- writes: guesses:<name>
--- @include "guesses"

local account, address, each = unpack(args)
if account ~= '' then refund_guess(account, each) end
if address ~= '' then refund_guess('@' .. address, each) end
return 'OK'
