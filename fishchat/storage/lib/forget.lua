--- @include "amended"
--- @include "bodies"
--- @include "positions"

-- Forget what was done to messages that retention has removed, and to recalled ones that are too old. Return whether there
-- may be more.
local function forget(conversation, trimmed, oldest, most)
  local changed, amended_key = 'changed:' .. conversation, 'amended:' .. conversation
  local numbers = call('ZRANGE', changed, 0, most - 1)
  local values = #numbers > 0 and call('HMGET', amended_key, unpack(numbers)) or {}
  local gone, reactions = {}, {}
  for i, number in ipairs(numbers) do
    local state = amendment_of(values[i])
    if tonumber(number) > trimmed and not (state.recalled and tonumber(state.time) < oldest) then break end
    gone[i], reactions[i] = number, 'react:' .. conversation .. ':' .. number
  end
  if #gone > 0 then
    call('UNLINK', unpack(reactions))
    call('HDEL', amended_key, unpack(gone))
    call('ZREM', changed, unpack(gone))
  end
  for _, at in ipairs(call('HKEYS', 'pins:' .. conversation)) do
    if select(2, position(at)) <= trimmed then call('HDEL', 'pins:' .. conversation, at) end
  end
  local quiet = 'quiet:' .. conversation
  local below = call('ZCOUNT', quiet, '-inf', trimmed)
  if below > 0 then call('ZREMRANGEBYRANK', quiet, 0, math.min(below, most) - 1) end
  return #gone == most or below > most
end

-- Too many operations: remove the oldest ones that only devices that are behind would still be pushed. Edits and recalls
-- stay, because texts are read from them. Field 'o' of the counters is how far this has come. Return whether there may be more.
local function thin_out(conversation, most_kept, at, most)
  local ops = 'ops:' .. conversation
  local excess = call('XLEN', ops) - most_kept
  if excess <= 0 then return false end
  local removed, last = {}, nil
  local entries = call('XRANGE', ops, '-', '+', 'COUNT', most)
  if at > 0 and entries[1] then
    local epoch = position(entries[1][1])
    entries = call('XRANGE', ops, '(' .. math.max(epoch, 0) .. '-' .. at, '+', 'COUNT', most)
  end
  for _, entry in ipairs(entries) do
    if #removed >= excess then break end
    local _, _, _, form = parts_of(entry[2][4])
    local kind = kind_of(form)
    if kind ~= 'edit' and kind ~= 'recall' then removed[#removed + 1] = entry[1] end
    last = entry[1]
  end
  if #removed > 0 then call('XDEL', ops, unpack(removed)) end
  if last then call('HSET', 'meta:' .. conversation, 'o', select(2, position(last))) end
  return #entries == most and #removed < excess
end
