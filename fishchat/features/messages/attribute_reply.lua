--- @include "sight"

-- The answered message must be one of the same conversation that the sender sees. It may have been recalled meanwhile.
CHECKS.reply = function(conversation, account, value)
  local named, at = string.match(value, '^(.*):(%d+%-%d+)$')
  local spans = named == conversation and sight_of(account, conversation)
  if not spans or not sees(spans, at) then return 'NOTFOUND' end
  if call('XRANGE', 'log:' .. conversation, at, at)[1] then return end
  local state = amended(conversation, select(2, position(at)))
  return not state.recalled and 'NOTFOUND' or nil
end
