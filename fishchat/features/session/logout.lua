-- End the sessions of devices that have disconnected.
-- args: server, incarnation, epoch, gone (flat: account, device, connection)
-- reply: sessions ended
-- writes: session:<account> on:<server>:<incarnation> seen:<account> at:<account>
--- @include "incarnation"
--- @include "clock"
--- @include "places"

-- A session that another login has replaced is not changed; the epoch does not matter here.

local server, incarnation, _, gone = unpack(args)
incarnation = incarnation_of(incarnation)
local now, ended = milliseconds(), 0
for i = 1, #gone, 3 do
  local account, device = gone[i], gone[i + 1]
  local mine = server .. ' ' .. incarnation .. ' ' .. gone[i + 2]
  if call('HGET', 'session:' .. account, device) == mine then
    call('HDEL', 'session:' .. account, device)
    call('SREM', 'on:' .. server .. ':' .. incarnation, account .. '/' .. device)
    call('HSET', 'seen:' .. account, device, now)
    locate(account)
    ended = ended + 1
  end
end
return ended
