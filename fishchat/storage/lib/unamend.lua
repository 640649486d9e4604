-- Forget what was done to a message that is erased.
local function unamend(conversation, number, at)
  if call('ZREM', 'changed:' .. conversation, number) == 0 then return end
  call('HDEL', 'amended:' .. conversation, number)
  call('UNLINK', 'react:' .. conversation .. ':' .. number)
  call('HDEL', 'pins:' .. conversation, at)
end
