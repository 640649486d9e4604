-- The token of a device is stored as 'fingerprint made used', both times in ms.
local function token_of(account, device)
  local token = call('HGET', 'tokens:' .. account, device)
  if not token then return end
  local fingerprint, made, used = string.match(token, '^(%S+) (%d+) (%d+)$')
  return fingerprint, made, tonumber(used)
end

local function set_token(account, device, fingerprint, made, used)
  call('HSET', 'tokens:' .. account, device, string.format('%s %.0f %.0f', fingerprint, made, used))
end
