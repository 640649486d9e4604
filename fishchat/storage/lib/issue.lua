--- @include "clock"
--- @include "tokens"

-- Give a device a token without a login. Return a refusal, or nil.
local function issue(account, device, fingerprint, most)
  local devices, known = call('HKEYS', 'seen:' .. account), false
  for _, each in ipairs(call('HKEYS', 'tokens:' .. account)) do
    if call('HEXISTS', 'seen:' .. account, each) == 0 then devices[#devices + 1] = each end
  end
  for _, each in ipairs(devices) do known = known or each == device end
  if not known and #devices >= most then return {'DEVICES'} end
  local now = milliseconds()
  set_token(account, device, fingerprint, now, now)
end
