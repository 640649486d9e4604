-- Gives a device a token that its owner did not have to log in for.
-- args: account, device, fingerprint, devices at most. Gives {'OK'}, {'NOTFOUND'} or {'DEVICES'}.
local account, device, fingerprint, most = unpack(args)
if call('HEXISTS', 'account:' .. account, 'created') == 0 then return {'NOTFOUND'} end
if call('HEXISTS', 'seen:' .. account, device) == 0 and call('HEXISTS', 'tokens:' .. account, device) == 0 then
  if math.max(call('HLEN', 'seen:' .. account), call('HLEN', 'tokens:' .. account)) >= most then return {'DEVICES'} end
end
local now = milliseconds()
set_token(account, device, fingerprint, now, now)
return {'OK'}
