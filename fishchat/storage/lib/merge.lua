--- @include "positions"

-- Merge two arrays of entries that are ordered by position, and return at most `count` of them, from the beginning.
local function merged(one, other, count, descending)
  if #other == 0 then return one end
  local out, i, j = {}, 1, 1
  while #out < count and (one[i] or other[j]) do
    local first = not other[j] or (one[i] and above(other[j][1], one[i][1]) ~= (descending or false))
    if first then
      out[#out + 1], i = one[i], i + 1
    else
      out[#out + 1], j = other[j], j + 1
    end
  end
  return out
end
