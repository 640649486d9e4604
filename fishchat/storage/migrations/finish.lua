-- Record that the migration from a format to the next one is complete, if the store still has the earlier format.
-- args: earlier, next
-- reply: 1
-- writes: format migrating
--- @include "vital"

-- Another process may have migrated at the same time. The format never goes back.

if (call('GET', 'format') or '1') == tostring(args[1]) then
  begin_vital()
  call('SET', 'format', args[2])
  call('DEL', 'migrating')
end
return 1
