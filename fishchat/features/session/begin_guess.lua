-- Take a guess, and return what the secret of an account is checked against.
-- args: account or '', address ('' if not counted), guesses (0: no limit), ms for one more
-- reply: OK, argon2 hash or '', SCRAM verifier or '', version of the secret or ''
-- refuses: FLOOD <ms>
-- writes: guesses:<name>
--- @include "guesses"

-- A missing account costs and returns the same, except for the empty values.

local account, address, most, each = unpack(args)
local shares = {}
if account ~= '' then shares[1] = account end
if address ~= '' then shares[#shares + 1] = '@' .. address end
local wait = most > 0 and take_guess(shares, most, each) or 0
if wait > 0 then return {'FLOOD', wait} end
local found = call('HMGET', 'account:' .. account, 'argon', 'scram', 'version')
return {'OK', found[1] or '', found[2] or '', found[3] or ''}
