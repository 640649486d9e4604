-- Return the places of an account if one of them is on another server, else false.
local function elsewhere(at, server)
  if not at then return false end
  local mine = server .. '/'
  for place in string.gmatch(at, '%S+') do
    if string.sub(place, 1, #mine) ~= mine then return at end
  end
  return false
end
