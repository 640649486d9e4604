--- @include "clock"

-- Return whether an account is banned from a topic now. A ban is 'until by reason', until in ms and 0 for ever.
local function is_banned(conversation, account)
  local ban = call('HGET', 'banned:' .. conversation, account)
  local till = ban and tonumber(string.match(ban, '^%d+'))
  return till ~= nil and till ~= false and (till == 0 or till > milliseconds())
end
