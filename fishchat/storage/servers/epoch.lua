-- Return the incarnation of the store, and raise it after a restart of Redis.
-- args: run id (of this Redis), remembered (highest epoch that the caller has seen), floor (minutes of the clock),
--   format (of a new store)
-- reply: epoch
-- writes: epoch epoch:run format
--- @include "vital"

-- A new run of Redis may have lost its last writes, so its ids must be above all earlier ids. The floor is for a store
-- that was emptied or restored from a copy, and lacks its later epochs.

local run_id, remembered, floor, format = unpack(args)
local stored = tonumber(call('GET', 'epoch') or '0')
if call('GET', 'epoch:run') ~= run_id or stored < remembered then
  begin_vital()
  -- A store without an epoch is new: no message was ever stored in it.
  if stored == 0 then call('SET', 'format', format) end
  stored = math.max(stored + 1, remembered + 1, floor)
  call('MSET', 'epoch', stored, 'epoch:run', run_id)
end
return tostring(stored)
