--- @include "clock"

-- Store a message of the servers themselves in a conversation, and return its number.
local function append(conversation, epoch, body)
  local n = tonumber(call('HGET', 'meta:' .. conversation, 'n') or 0) + 1
  call('XADD', 'log:' .. conversation, epoch .. '-' .. n, 't', timestamp(), 'm', body)
  call('HSET', 'meta:' .. conversation, 'n', n, 'e', epoch)
  return n
end
