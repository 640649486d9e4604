-- Remove a report.
-- args: report
-- reply: OK
-- refuses: NOTFOUND
-- writes: reports

if call('XDEL', 'reports', args[1]) == 0 then return {'NOTFOUND'} end
return {'OK'}
