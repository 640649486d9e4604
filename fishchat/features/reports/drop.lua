-- Remove a report.
-- args: report
-- reply: OK
-- refuses: NOTFOUND
-- writes: reports unscrubbed
--- @include "erased"

if call('XDEL', 'reports', args[1]) == 0 then return {'NOTFOUND'} end
mark_reports()
return {'OK'}
