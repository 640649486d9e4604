-- The incarnation in a lease, without the number of the connection.
local function incarnation_of(incarnation)
  return string.match(incarnation, '^[^.]+')
end
