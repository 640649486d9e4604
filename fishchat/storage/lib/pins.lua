--- @include "limits"
--- @include "rights"

local pin, unpin = {}, {}

local function forbidden(op, state)
  local refused = state.is_topic and forbids(op.account, op.conversation, 'pin')
  return refused and table.concat(refused, ' ') or nil
end

function pin.refused(op, state)
  local word = forbidden(op, state)
  if word then return word end
  local earlier = call('HGET', 'pins:' .. op.conversation, op.of)
  if earlier then return nil, earlier end
  if call('HLEN', 'pins:' .. op.conversation) >= PINS then return 'FULL limit=' .. PINS end
end

function pin.done(op, _, position)
  call('HSET', 'pins:' .. op.conversation, op.of, position)
end

function unpin.refused(op, state)
  local word = forbidden(op, state)
  if word then return word end
  if call('HEXISTS', 'pins:' .. op.conversation, op.of) == 0 then return 'NOTFOUND' end
end

function unpin.done(op)
  call('HDEL', 'pins:' .. op.conversation, op.of)
end
