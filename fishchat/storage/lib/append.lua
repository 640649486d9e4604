--- @include "clock"
--- @include "places_of"
--- @include "quiet"

-- Store a message of a role in a conversation, and add it to the router's stream. The caller has checked the fence: any
-- role that holds a lease may do this, whether it has clients or not. Return the data for the caller's own clients:
-- conversation, epoch, number, body, membership version and time.
-- A quiet one does not count as unread, and the conversation keeps its place in the list.
local function append(server, incarnation, epoch, stream, conversation, body, is_quiet)
  local meta = call('HMGET', 'meta:' .. conversation, 'n', 'v')
  local n, version, now = tonumber(meta[1] or 0) + 1, tonumber(meta[2] or 0), timestamp()
  call('XADD', 'log:' .. conversation, epoch .. '-' .. n, 't', now, 'm', body)
  call('HSET', 'meta:' .. conversation, 'n', n, 'e', epoch)
  if is_quiet then
    add_quiet(conversation, n)
  else
    call('HSET', 'meta:' .. conversation, 'time', now)
  end
  leave_for_router(server, incarnation, epoch, stream, places_of(conversation, server), conversation, n, version, body, now)
  return {'OK', conversation, tonumber(epoch), n, body, version, tonumber(now)}
end
