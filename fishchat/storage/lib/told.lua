--- @include "clock"
--- @include "erased"
--- @include "positions"
--- @include "quiet"

-- Texts of an account in the notices of others: 'told:<account>' names the newest of them as 'conversation position', so that
-- they are erased with the account.
local TOLD = 1000

local function note_told(account, conversation, at)
  call('ZADD', 'told:' .. account, timestamp(), conversation .. ' ' .. at)
  call('ZREMRANGEBYRANK', 'told:' .. account, 0, -TOLD - 1)
end

-- Erase the oldest of these texts, `count` of them at most. Return how many there were.
local function erase_told(account, count)
  local told = 'told:' .. account
  local places = call('ZRANGE', told, 0, count - 1)
  for _, place in ipairs(places) do
    local conversation, at = string.match(place, '^(%S+) (%S+)$')
    if call('XDEL', 'log:' .. conversation, at) > 0 then
      add_quiet(conversation, select(2, position(at)))
      mark_unscrubbed(conversation)
    end
    call('ZREM', told, place)
  end
  return #places
end
