-- The store's incarnation: a new Redis run may have lost its tail, so its ids must stand above all given out before.
-- args: run id of this Redis, highest epoch that the caller has seen, floor (minutes of the clock: a store that
-- was emptied or put back from a copy knows nothing of its later life). Gives the epoch.
local run_id, remembered, floor = args[1], args[2], args[3]
local stored = tonumber(call('GET', 'epoch') or '0')
if call('GET', 'epoch:run') ~= run_id or stored < remembered then
  begin_vital()
  stored = math.max(stored + 1, remembered + 1, floor)
  call('MSET', 'epoch', stored, 'epoch:run', run_id)
end
return tostring(stored)
