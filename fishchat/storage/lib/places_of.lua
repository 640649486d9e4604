--- @include "elsewhere"
--- @include "router"

-- Return the places of all readers of a conversation, if one of them is not on `server`; false otherwise.
local function places_of(conversation, server)
  if string.sub(conversation, 1, 1) == '#' then
    local servers = call('HKEYS', 'servers')
    return #servers > 0 and table.concat(servers, ' ')
  end
  local places = {}
  for account in string.gmatch(conversation, '[^@+]+') do
    places[#places + 1] = elsewhere(call('GET', 'at:' .. account), server) or nil
  end
  return #places > 0 and table.concat(places, ' ')
end
