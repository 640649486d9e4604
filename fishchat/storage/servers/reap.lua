-- End the sessions of dead msg_servers, some hundred a call, and publish which devices have gone.
-- args: most (sessions)
-- reply: sessions ended, whether there are more, servers declared dead
-- writes: servers features dead on:<server>:<incarnation> session:<account> seen:<account> at:<account>
--- @include "clock"
--- @include "places"

local left = args[1]
local declared, ended, gone = {}, 0, {}
local servers = call('HGETALL', 'servers')
for i = 1, #servers, 2 do
  if call('EXISTS', 'lease:' .. servers[i]) == 0 then
    call('HDEL', 'servers', servers[i])
    call('HDEL', 'features', servers[i])
    call('SADD', 'dead', servers[i] .. ' ' .. servers[i + 1])
    declared[#declared + 1] = servers[i]
  end
end
local now = milliseconds()
for _, dead in ipairs(call('SMEMBERS', 'dead')) do
  local server, incarnation = string.match(dead, '^(%S+) (%S+)$')
  local on = 'on:' .. server .. ':' .. incarnation
  local mine = dead .. ' '
  for _, me in ipairs(left > 0 and call('SPOP', on, left) or {}) do
    local account, device = string.match(me, '^(.-)/(.+)$')
    local session = call('HGET', 'session:' .. account, device)
    if session and string.sub(session, 1, #mine) == mine then
      call('HDEL', 'session:' .. account, device)
      call('HSET', 'seen:' .. account, device, now)
      locate(account)
      ended = ended + 1
      gone[ended] = me
    end
    left = left - 1
  end
  if call('EXISTS', on) == 0 then call('SREM', 'dead', dead) end
end
if ended > 0 then
  call('PUBLISH', '/sysctrl/client-status', cjson.encode({server = '', went = gone}))
end
return {ended, call('SCARD', 'dead'), declared}
