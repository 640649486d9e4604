--- @include "router"

-- Add a signal to the router's stream: a push line that is never stored, for accounts or devices ('account/device'),
-- separated by spaces, at these places. Its entry is a message with the number 0.
local function signal(server, incarnation, epoch, stream, places, recipients, line)
  leave_for_router(server, incarnation, epoch, stream, places, recipients, 0, 0, line, 0)
end
