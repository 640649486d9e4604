--- @include "fold"
--- @include "sight"

-- Return a message that an account may see, and what was done to it; or nil, nil and the reason why not. One that was
-- recalled is given as the entry that stands for it. Operations are no messages. The fourth value is a function that
-- returns whether the account sees a position.
local function visible(account, conversation, at)
  local spans = sight_of(account, conversation)
  if not spans or not sees(spans, at) then return nil, nil, 'NOTFOUND' end
  local _, number = position(at)
  local state = amended(conversation, number)
  local function may_see(position) return sees(spans, position) end
  local entry = call('XRANGE', 'log:' .. conversation, at, at)[1]
  if entry then return entry, state, nil, may_see end
  if state.recalled and state.epoch .. '-' .. number == at then
    local body, time = stub_of(conversation, state, may_see)
    return {at, {'t', time, 'm', body}}, state
  end
  local trimmed = tonumber(call('HGET', 'meta:' .. conversation, 't') or 0)
  return nil, nil, number <= trimmed and 'GONE' or 'NOTFOUND'
end
