-- Remove the reports that are too old, and the oldest ones beyond a number.
-- args: count (reports that are kept, at most), ms that they are kept (0: for any time)
-- reply: reports removed
-- writes: reports unscrubbed
--- @include "clock"
--- @include "erased"

local count, lives = unpack(args)
local removed = call('XTRIM', 'reports', 'MAXLEN', count)
if lives > 0 then removed = removed + call('XTRIM', 'reports', 'MINID', math.max(0, milliseconds() - lives)) end
if removed > 0 then mark_reports() end
return removed
