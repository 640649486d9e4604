--- @include "clock"

-- A guess budget holds `most` guesses and regains one every `each` ms. It is kept as the time at which it will be full again.
-- Take one guess from each of these budgets, or from none. Return 0, or the ms until each has one.
local function take_guess(budgets, most, each)
  local now, wait, full = milliseconds(), 0, {}
  for i, budget in ipairs(budgets) do
    full[i] = math.max(tonumber(call('GET', 'guesses:' .. budget) or 0), now) + each
    wait = math.max(wait, full[i] - most * each - now)
  end
  if wait > 0 then return wait end
  for i, budget in ipairs(budgets) do call('SET', 'guesses:' .. budget, full[i], 'PX', full[i] - now) end
  return 0
end

local function refund_guess(budget, each)
  local full, now = tonumber(call('GET', 'guesses:' .. budget) or 0) - each, milliseconds()
  if full > now then
    call('SET', 'guesses:' .. budget, full, 'PX', full - now)
  else
    call('DEL', 'guesses:' .. budget)
  end
end
