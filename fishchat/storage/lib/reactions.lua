--- @include "amended"
--- @include "limits"
--- @include "rights"

local react, unreact = {}, {}

local function reactors(op)
  return 'react:' .. op.conversation .. ':' .. op.message.number
end

-- Return how many reactions an account has given, among these sums.
local function own_of(op, sums)
  local fields, own = {}, 0
  for i = 1, #sums, 2 do fields[#fields + 1] = op.account .. ' ' .. sums[i] end
  for _, found in ipairs(call('HMGET', reactors(op), unpack(fields))) do
    if found then own = own + 1 end
  end
  return own
end

function react.refused(op, state)
  if state.is_topic then
    local word = state.may_react[op.account]
    if word == nil then
      local refused = forbids(op.account, op.conversation, 'react')
      word = refused and table.concat(refused, ' ') or false
      state.may_react[op.account] = word
    end
    if word then return word end
  end
  local earlier = call('HGET', reactors(op), op.account .. ' ' .. op.reaction)
  if earlier then return nil, earlier end
  local sums = sums_of(op.state.reactions)
  if #sums == 0 then return end
  local is_new = true
  for i = 1, #sums, 2 do
    if sums[i] == op.reaction then is_new = false end
  end
  if is_new and #sums / 2 >= KINDS_OF_REACTIONS then return 'FULL limit=' .. KINDS_OF_REACTIONS end
  if own_of(op, sums) >= OWN_REACTIONS then return 'FULL limit=' .. OWN_REACTIONS end
end

local function silent_if_large(op, state)
  if state.is_large == nil then
    state.is_large = state.is_topic and call('HLEN', 'members:' .. op.conversation) > LARGE
  end
  if state.is_large then return 's', '1' end
end

react.extra = silent_if_large

function react.done(op, _, position)
  call('HSET', reactors(op), op.account .. ' ' .. op.reaction, position)
  op.state.reactions = summed(op.state.reactions, op.reaction, 1)
  op.message.is_amended = true
end

function unreact.refused(op)
  if call('HEXISTS', reactors(op), op.account .. ' ' .. op.reaction) == 0 then return 'NOTFOUND' end
end

unreact.extra = silent_if_large

function unreact.done(op)
  call('HDEL', reactors(op), op.account .. ' ' .. op.reaction)
  op.state.reactions = summed(op.state.reactions, op.reaction, -1)
  op.message.is_amended = true
end
