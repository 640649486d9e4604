-- Gives back the guess that `attempt` took for a secret which nobody has looked at.
-- args: account ('' for none), address ('' for one that is not counted), ms for one more. Gives 'OK'.
local account, address, each = unpack(args)
if account ~= '' then give_guess_back(account, each) end
if address ~= '' then give_guess_back('@' .. address, each) end
return 'OK'
