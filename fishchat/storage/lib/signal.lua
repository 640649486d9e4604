--- @include "router"

-- Leave a signal for the router: a push line that is never stored, for accounts or devices ('account/device') that are
-- separated by spaces, at these places. It travels as a message with the number 0.
local function signal(server, incarnation, epoch, stream, places, recipients, line)
  leave_for_router(server, incarnation, epoch, stream, places, recipients, 0, 0, line, 0)
end
