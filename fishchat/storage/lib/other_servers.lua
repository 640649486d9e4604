-- Return the other registered msg_servers as places, or false if there is none.
local function other_servers(server)
  local places = {}
  for _, other in ipairs(call('HKEYS', 'servers')) do
    if other ~= server then places[#places + 1] = other end
  end
  return #places > 0 and table.concat(places, ' ')
end
