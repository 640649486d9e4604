-- The servers of an account's devices, as one string 'server/device server/device': send.lua reads it for every message.
local function locate(account)
  local places = {}
  local sessions = call('HGETALL', 'session:' .. account)
  for i = 1, #sessions, 2 do
    places[#places + 1] = string.match(sessions[i + 1], '^%S+') .. '/' .. sessions[i]
  end
  if #places == 0 then
    call('DEL', 'at:' .. account)
  else
    call('SET', 'at:' .. account, table.concat(places, ' '))
  end
end
