-- A relation to another account is 'b' (blocked), 'c' (contact) or 'bc' (both); nil or false if there is none.
local function is_blocked(relation)
  return relation == 'b' or relation == 'bc'
end

local function is_contact(relation)
  return relation == 'c' or relation == 'bc'
end
