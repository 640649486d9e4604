--- @include "clock"

-- A budget {key, most, each} holds `most` units and regains one every `each` ms. It is kept as the time at which it will
-- be full again. Take one unit from each of these budgets, or from none. Return 0, or the ms until each has one.
local function take(budgets)
  local now, wait, full = milliseconds(), 0, {}
  for i, budget in ipairs(budgets) do
    local key, most, each = unpack(budget)
    full[i] = math.max(tonumber(call('GET', key) or 0), now) + each
    wait = math.max(wait, full[i] - most * each - now)
  end
  if wait > 0 then return wait end
  for i, budget in ipairs(budgets) do call('SET', budget[1], full[i], 'PX', full[i] - now) end
  return 0
end

local function refund(key, each)
  local full, now = tonumber(call('GET', key) or 0) - each, milliseconds()
  if full > now then
    call('SET', key, full, 'PX', full - now)
  else
    call('DEL', key)
  end
end
