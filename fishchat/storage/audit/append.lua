-- Append events to the audit record, and remove its oldest ones.
-- args: events (each flat: field, value, …), events that are kept (at most), ms that they are kept (0: for any time)
-- reply: OK
-- writes: audit
--- @include "clock"

local events, most, lives = unpack(args)
for _, event in ipairs(events) do call('XADD', 'audit', '*', unpack(event)) end
call('XTRIM', 'audit', 'MAXLEN', most)
if lives > 0 then call('XTRIM', 'audit', 'MINID', math.max(0, milliseconds() - lives)) end
return 'OK'
