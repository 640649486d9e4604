-- Forget a device, or all devices: tokens, sessions, cursors.
-- args: account, device ('' for all)
-- reply: OK, tokens ended, sessions ended
-- refuses: NOTFOUND
-- writes: tokens:<account> seen:<account> cursor:<account>/<device> session:<account> on:<server>:<incarnation>
--   at:<account> revocations
--- @include "sessions"

local account, device = unpack(args)
local devices = {device}
if device == '' then
  devices = call('HKEYS', 'seen:' .. account)
  for _, each in ipairs(call('HKEYS', 'tokens:' .. account)) do devices[#devices + 1] = each end
end
local tokens, known = 0, 0
local ended = end_sessions(account, device, '', 'revoked')
for _, each in ipairs(devices) do
  local token = call('HDEL', 'tokens:' .. account, each)
  tokens = tokens + token
  known = known + token + call('HDEL', 'seen:' .. account, each)
  call('DEL', 'cursor:' .. account .. '/' .. each)
end
if known == 0 and (device ~= '' or call('HEXISTS', 'account:' .. account, 'created') == 0) then return {'NOTFOUND'} end
return {'OK', tokens, ended}
