--- @include "clock"

-- A ban or a mute is stored as 'until by reason': until in ms, 0 for ever. One that has lapsed counts no more; it is removed
-- when there is a reason to look at it.

local function is_lapsed(sanction, now)
  local till = tonumber(string.match(sanction, '^%d+'))
  return till > 0 and till <= now
end

-- Return until when an account is banned or muted, as text, by whom and why; nil if it is not.
local function sanction_of(key, account)
  local found = call('HGET', key, account)
  if not found or is_lapsed(found, milliseconds()) then return end
  return string.match(found, '^(%d+) (%S+) ?(.*)$')
end

-- Remove what has lapsed in one part of a hash of bans or mutes. Return the cursor of the next part.
local function remove_lapsed(key, cursor, count)
  local found, now = call('HSCAN', key, cursor, 'COUNT', count), milliseconds()
  for i = 1, #found[2], 2 do
    if is_lapsed(found[2][i + 1], now) then call('HDEL', key, found[2][i]) end
  end
  return found[1]
end

-- Ban or mute an account until a time in ms. Return the refusal, or nil.
local function add_sanction(key, account, till, by, reason, most)
  -- This part is all of a small hash. Of a large one the rest is removed when the hash is full: see moderation/lapse.
  remove_lapsed(key, '0', 100)
  if call('HLEN', key) >= most and call('HEXISTS', key, account) == 0 then return {'FULL', most} end
  call('HSET', key, account, string.format('%.0f %s %s', till, by, reason))
end

-- End a ban or a mute. Return whether it had not lapsed.
local function end_sanction(key, account)
  local is_there = sanction_of(key, account) ~= nil
  call('HDEL', key, account)
  return is_there
end
