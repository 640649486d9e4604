-- What was done to a message after it was sent, folded into one value: field <number> of amended:<conversation>. The same
-- number stands in the sorted set changed:<conversation>, by which ranges of numbers find it.
--   a <position of the current edit or -> <number of edits> <reactions or ->   e.g. 'a 7-9 1 +1:3,ok:1'
--   x <epoch> <position of the recall> <by> <time> <account> <device> <cseq>   of a message that was recalled
-- Reactions are written as in a tag, with how many accounts have given each.

local function amendment_of(value)
  if not value then return {edit = '-', edits = 0, reactions = '-', is_new = true} end
  if string.sub(value, 1, 1) == 'x' then
    local state = {recalled = true}
    state.epoch, state.at, state.by, state.time, state.account, state.device, state.cseq =
      string.match(value, '^x (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
    return state
  end
  local edit, edits, reactions = string.match(value, '^a (%S+) (%S+) (%S+)$')
  return {edit = edit, edits = tonumber(edits), reactions = reactions}
end

local function amended(conversation, number)
  return amendment_of(call('HGET', 'amended:' .. conversation, number))
end

-- Return the value of a state.
local function amendment(state)
  return 'a ' .. state.edit .. ' ' .. string.format('%d', state.edits) .. ' ' .. state.reactions
end

local function amend(conversation, number, state)
  call('HSET', 'amended:' .. conversation, number, amendment(state))
  if state.is_new then call('ZADD', 'changed:' .. conversation, number, number) end
end

local function bury(conversation, number, epoch, at, by, time, body)
  local account, device, cseq = string.match(body, '^(%S+) (%S+) (%S+) ')
  call('HSET', 'amended:' .. conversation, number,
    table.concat({'x', epoch, at, by, time, account, device, cseq}, ' '))
  call('ZADD', 'changed:' .. conversation, number, number)
end

-- Return the reactions of a state as an array of reaction, count, …
local function sums_of(reactions)
  local sums = {}
  if reactions ~= '-' then
    for reaction, count in string.gmatch(reactions, '([^,]+):(%d+)') do
      sums[#sums + 1], sums[#sums + 2] = reaction, tonumber(count)
    end
  end
  return sums
end

-- Return the reactions of a state after one account more or less has given this one.
local function summed(reactions, reaction, by)
  local out, sums, found = {}, sums_of(reactions), false
  for i = 1, #sums, 2 do
    local count = sums[i + 1]
    if sums[i] == reaction then count, found = count + by, true end
    if count > 0 then out[#out + 1] = sums[i] .. ':' .. string.format('%d', count) end
  end
  if not found and by > 0 then out[#out + 1] = reaction .. ':1' end
  return #out > 0 and table.concat(out, ',') or '-'
end
