-- Take a password change of an account, before the password is hashed.
-- args: account, changes (0: no limit), ms for one more
-- reply: OK
-- refuses: FLOOD <ms>
-- writes: changes:<account>
--- @include "budgets"

local account, most, each = unpack(args)
local wait = most > 0 and take({{'changes:' .. account, most, each}}) or 0
if wait > 0 then return {'FLOOD', wait} end
return {'OK'}
