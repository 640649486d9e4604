-- For writes that need hardly any new memory: leases, cursors, logins of known devices, revocations. A full memory must
-- not stop these. Redis checks its memory only before the first write of a script, and never before a removal.
local function begin_vital()
  call('DEL', '')
end
