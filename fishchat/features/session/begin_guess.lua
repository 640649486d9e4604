-- Take a guess, and return what the secret of an account is checked against.
-- args: account, address ('' if not counted), guesses of the account (0: no limit), ms for one more, guesses of the
--   address, ms for one more
-- reply: OK, argon2 hash or '', SCRAM verifier or '', version of the secret or ''
-- refuses: FLOOD <ms>
-- writes: guesses:<name>
--- @include "budgets"

-- A missing account costs and returns the same, except for the empty values.

local account, address, most, each, address_most, address_each = unpack(args)
if most > 0 then
  local budgets = {{'guesses:' .. account, most, each}}
  if address ~= '' then budgets[2] = {'guesses:@' .. address, address_most, address_each} end
  local wait = take(budgets)
  if wait > 0 then return {'FLOOD', wait} end
end
local found = call('HMGET', 'account:' .. account, 'argon', 'scram', 'version')
return {'OK', found[1] or '', found[2] or '', found[3] or ''}
