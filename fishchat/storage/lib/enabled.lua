-- Whether every registered msg_server announces a feature. Until then what the feature stores would reach servers that do
-- not understand it, so its scripts answer TRYAGAIN.
local function enabled(feature)
  for _, server in ipairs(call('HKEYS', 'servers')) do
    local announced = call('HGET', 'features', server) or ''
    if not string.find(' ' .. announced .. ' ', ' ' .. feature .. ' ', 1, true) then return false end
  end
  return true
end
