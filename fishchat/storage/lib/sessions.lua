--- @include "clock"
--- @include "places"

-- End the sessions of one device, or of all devices ('') except `keep`, and publish the reason with a running number, by
-- which servers detect a lost notification. Return how many sessions ended.
local function end_sessions(account, device, keep, why)
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
