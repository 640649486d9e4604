-- Record that the migration from a format has begun, if the store still has that format.
-- args: format
-- reply: 1
-- writes: migrating
--- @include "vital"

-- While this key exists, the store may be half migrated: a copy of it is no backup of the earlier format.

if (call('GET', 'format') or '1') == tostring(args[1]) then
  begin_vital()
  call('SET', 'migrating', args[1])
end
return 1
