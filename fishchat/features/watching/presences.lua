-- Return whether accounts are online, each to an account that watches it. To a watcher that may not see its status, an
-- account is offline and was never seen, like an account that does not exist.
-- args: watches (some hundred; flat: watcher, account)
-- reply: for each watch 1 or 0, and since when it is online or when it was last seen (ms, 0 if unknown)
--- @include "reach"

local states = {}

local function state_of(account)
  local devices = call('HKEYS', 'session:' .. account)
  local is_online, times = 1, nil
  if #devices > 0 then
    times = call('HMGET', 'seen:' .. account, unpack(devices))
  else
    is_online, times = 0, call('HVALS', 'seen:' .. account)
  end
  local first, last
  for _, time in ipairs(times) do
    time = tonumber(time or 0)
    if not first or time < first then first = time end
    if not last or time > last then last = time end
  end
  return {is_online, (is_online == 1 and first or last) or 0}
end

local watches, found = args[1], {}
for i = 1, #watches, 2 do
  local watcher, account = watches[i], watches[i + 1]
  if watcher ~= account and refuses(watcher, account) then
    found[i], found[i + 1] = 0, 0
  else
    states[account] = states[account] or state_of(account)
    found[i], found[i + 1] = states[account][1], states[account][2]
  end
end
return found
