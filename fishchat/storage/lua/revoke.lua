-- Forgets a device, or all of an account ('' for the device): tokens, sessions, places in conversations.
-- args: account, device. Gives {'OK', tokens ended, sessions ended} or {'NOTFOUND'}.
local account, device = unpack(args)
local devices = {device}
if device == '' then
  devices = call('HKEYS', 'seen:' .. account)
  for _, each in ipairs(call('HKEYS', 'tokens:' .. account)) do devices[#devices + 1] = each end
end
local tokens, known = 0, 0
local ended = take_back(account, device, '', 'revoked')
for _, each in ipairs(devices) do
  local token = call('HDEL', 'tokens:' .. account, each)
  tokens = tokens + token
  known = known + token + call('HDEL', 'seen:' .. account, each)
  call('DEL', 'cursor:' .. account .. '/' .. each)
end
if known == 0 and (device ~= '' or call('HEXISTS', 'account:' .. account, 'created') == 0) then return {'NOTFOUND'} end
return {'OK', tokens, ended}
