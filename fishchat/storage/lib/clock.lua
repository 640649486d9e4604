-- The time in milliseconds since 1970, as text and as a number.
local function timestamp()
  local time = call('TIME')
  return time[1] .. string.format('%03d', math.floor(time[2] / 1000))
end

local function milliseconds()
  return tonumber(timestamp())
end
