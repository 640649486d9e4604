-- What a login reads, for a device that is logged in. args: account, device.
-- Gives {its session or '', packed talks as in common.lua}.
local account, device = unpack(args)
return {call('HGET', 'session:' .. account, device) or '', talks_of(account, device)}
