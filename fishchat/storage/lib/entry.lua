-- Return a stored entry of a conversation ({position, {'t', time, 'm', body}}), or nil if there is none at this position.
local function entry_of(conversation, position)
  return call('XRANGE', 'log:' .. conversation, position, position)[1]
end
