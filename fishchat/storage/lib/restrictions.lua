--- @include "clock"

-- What restricts writing in a topic: field 'b' of its counters holds 'a' if only admins write, 'm' if somebody is muted,
-- and 's<seconds>' in slow mode. Nearly all topics have no such field, and then nothing more is read.

local function is_admin(conversation, account)
  return call('HGET', 'topic:' .. conversation, 'owner') == account
    or call('HEXISTS', 'admins:' .. conversation, account) == 1
end

-- Return the refusal of everything that a muted account says in any way, or nil.
local function silenced(conversation, account, restrictions)
  if string.find(restrictions, 'm', 1, true) then
    local muted = call('HGET', 'muted:' .. conversation, account)
    local till = muted and string.match(muted, '^%d+')
    if till and tonumber(till) > milliseconds() then return 'MUTED until=' .. till end
  end
  if string.find(restrictions, 'a', 1, true) and not is_admin(conversation, account) then return 'RIGHTS needs=admin' end
end

-- Return the refusal of a message or an edit, or nil.
local function unwritable(conversation, account, restrictions)
  local word = silenced(conversation, account, restrictions)
  if word then return word end
  local seconds = string.match(restrictions, 's(%d+)')
  if seconds and not is_admin(conversation, account) then
    local before = call('HGET', 'slow:' .. conversation, account)
    local till = before and tonumber(before) + 1000 * tonumber(seconds)
    if till and till > milliseconds() then return 'SLOW until=' .. string.format('%d', till) end
  end
end

-- Take note of a message or an edit, for slow mode.
local function note_written(conversation, account, restrictions, now)
  if string.find(restrictions, 's', 1, true) then call('HSET', 'slow:' .. conversation, account, now) end
end

-- Make field 'b' say what the settings and the mutes of a topic are now.
local function set_restrictions(conversation)
  local found = call('HMGET', 'topic:' .. conversation, 'write', 'slow')
  local restrictions = (found[1] == 'admins' and 'a' or '')
    .. (call('EXISTS', 'muted:' .. conversation) == 1 and 'm' or '')
    .. (found[2] and found[2] ~= '0' and 's' .. found[2] or '')
  if restrictions == '' then
    call('HDEL', 'meta:' .. conversation, 'b')
  else
    call('HSET', 'meta:' .. conversation, 'b', restrictions)
  end
end
