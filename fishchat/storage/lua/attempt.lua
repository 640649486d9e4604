-- What an account's secret is checked by; a guess is taken for it from the shares of the account and of the address.
-- args: account ('' for none), address ('' for one that is not counted), guesses at most (0: as many as you like), ms for one more.
-- Gives {'OK', argon2 hash or '', SCRAM verifier or '', version of the secret or ''} or {'FLOOD', ms to wait}.
-- An account that is not there costs and gives the same, but for the empty values.
local account, address, most, each = unpack(args)
local shares = {}
if account ~= '' then shares[1] = account end
if address ~= '' then shares[#shares + 1] = '@' .. address end
local wait = most > 0 and guess(shares, most, each) or 0
if wait > 0 then return {'FLOOD', wait} end
local found = call('HMGET', 'account:' .. account, 'argon', 'scram', 'version')
return {'OK', found[1] or '', found[2] or '', found[3] or ''}
