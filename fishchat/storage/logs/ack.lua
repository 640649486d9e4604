-- Move the cursors of devices forward.
-- args: server, incarnation, epoch, acks (flat: account, device, conversation, position)
-- reply: OK, cursors moved
-- refuses: LEASE, EPOCH <epoch>
-- writes: cursor:<account>/<device> cursor:<account>
--- @include "fence"
--- @include "vital"
--- @include "positions"

-- Positions of an earlier epoch count only if the log has or had them: a store that was restored from a copy may not.
-- No cursor is stored for a forgotten device: its server may still write the last ones after the revocation.

local server, incarnation, epoch, acks = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end

local function known(conversation, at)
  if string.sub(at, 1, #epoch + 1) == epoch .. '-' then return true end
  local found = call('XRANGE', 'log:' .. conversation, at, '+', 'COUNT', 1)[1]
  if found and found[1] == at then return true end
  -- Numbers have no holes: if the log continues above this number, its entry was trimmed or erased, not lost.
  local _, number = position(at)
  local _, next = position(found and found[1] or last_of(conversation))
  return found and next > number or not found and next >= number
end

local function forward(key, conversation, at, old)
  if old and not above(at, old) then return 0 end
  call('HSET', key, conversation, at)
  return 1
end

begin_vital()
local moved = 0
for i = 1, #acks, 4 do
  local account, device, conversation, at = acks[i], acks[i + 1], acks[i + 2], acks[i + 3]
  local own, furthest = 'cursor:' .. account .. '/' .. device, 'cursor:' .. account
  local old = call('HGET', own, conversation)
  if (old or call('HEXISTS', 'seen:' .. account, device) == 1) and known(conversation, at) then
    moved = moved + forward(own, conversation, at, old)
    forward(furthest, conversation, at, call('HGET', furthest, conversation))
  end
end
return {'OK', moved}
