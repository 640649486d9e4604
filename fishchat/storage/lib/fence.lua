-- Refuse a writer that has lost its lease or its epoch: return the refusal, or nil. A lease is 'incarnation.n', where n is
-- the number of the connection that writes: writes that an earlier connection left in Redis' buffers must not take effect late.
local function fence(server, incarnation, epoch)
  local found = call('MGET', 'lease:' .. server, 'epoch')
  if found[1] ~= incarnation then return {'LEASE'} end
  if found[2] ~= epoch then return {'EPOCH', found[2] or '0'} end
end
