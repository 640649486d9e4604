-- Return whether every registered msg_server announces a feature. Until then the scripts of the feature answer TRYAGAIN,
-- because its data would reach servers that do not understand it.
local function enabled(feature)
  for _, server in ipairs(call('HKEYS', 'servers')) do
    local announced = call('HGET', 'features', server) or ''
    if not string.find(' ' .. announced .. ' ', ' ' .. feature .. ' ', 1, true) then return false end
  end
  return true
end
