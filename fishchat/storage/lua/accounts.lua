-- Behind common.lua, in front of the scripts that know of secrets and take rights back.

-- A share of guesses holds `most` and grows by one every `each` ms. It is kept as the moment at which it is full again.
-- Takes one from each of these shares, or from none. Gives 0, or the ms until there is one.
local function guess(shares, most, each)
  local now, wait, full = milliseconds(), 0, {}
  for i, share in ipairs(shares) do
    full[i] = math.max(tonumber(call('GET', 'guesses:' .. share) or 0), now) + each
    wait = math.max(wait, full[i] - most * each - now)
  end
  if wait > 0 then return wait end
  for i, share in ipairs(shares) do call('SET', 'guesses:' .. share, full[i], 'PX', full[i] - now) end
  return 0
end

local function give_guess_back(share, each)
  local full, now = tonumber(call('GET', 'guesses:' .. share) or 0) - each, milliseconds()
  if full > now then
    call('SET', 'guesses:' .. share, full, 'PX', full - now)
  else
    call('DEL', 'guesses:' .. share)
  end
end

-- Ends an account's sessions for good: of one device, or of all ('') but `keep`. Their servers are told why, and find by
-- the number whether they missed it. Gives how many.
local function take_back(account, device, keep, why)
  local revoked, ended, now = {}, 0, milliseconds()
  local sessions = call('HGETALL', 'session:' .. account)
  for i = 1, #sessions, 2 do
    local name, session = sessions[i], sessions[i + 1]
    if name ~= keep and (device == '' or device == name) then
      local server, incarnation = string.match(session, '^(%S+) (%S+) ')
      call('HDEL', 'session:' .. account, name)
      call('SREM', 'on:' .. server .. ':' .. incarnation, account .. '/' .. name)
      call('HSET', 'seen:' .. account, name, now)
      revoked[account .. '/' .. name] = why .. ' ' .. session
      ended = ended + 1
    end
  end
  if ended > 0 then
    locate(account)
    local number = call('INCR', 'revocations')
    call('PUBLISH', '/sysctrl/client-status', cjson.encode({server = '', revoked = revoked, number = number}))
  end
  return ended
end

-- A device's token is kept as 'fingerprint made used', both in ms.
local function token_of(account, device)
  local token = call('HGET', 'tokens:' .. account, device)
  if not token then return end
  local fingerprint, made, used = string.match(token, '^(%S+) (%d+) (%d+)$')
  return fingerprint, made, tonumber(used)
end

local function set_token(account, device, fingerprint, made, used)
  call('HSET', 'tokens:' .. account, device, string.format('%s %.0f %.0f', fingerprint, made, used))
end
