-- Return whether a name sorts before another. Lua's own '<' follows the locale of Redis, which may sort 'aa' before 'a.b'.
local function precedes(one, other)
  for i = 1, #other do
    local mine, its = string.byte(one, i) or 0, string.byte(other, i)
    if mine ~= its then return mine < its end
  end
  return false
end

-- Return the name of the conversation of two accounts.
local function p2p(one, other)
  return precedes(other, one) and other .. '+' .. one or one .. '+' .. other
end
