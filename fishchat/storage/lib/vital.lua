-- For writes that replace what is there or hardly let it grow: leases, cursors, logins of known devices, rights that are
-- revoked. A full memory must not stop these. Redis checks its memory before the first write of a script only, and never
-- before a removal.
local function begin_vital()
  call('DEL', '')
end
