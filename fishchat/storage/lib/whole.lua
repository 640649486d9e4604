--- @include "positions"
--- @include "spans"

local function move_on(key, conversation, at)
  local old = call('HGET', key, conversation)
  if not old or above(at, old) then call('HSET', key, conversation, at) end
end

-- Let a new member see a topic from `since` on, where it began. Messages up to `after`, the last one, are a span of their own:
-- the last span begins where the membership does, as for every member. All devices have passed them and the account has read
-- them, so they are in history and are never pushed.
local function open_whole(account, conversation, since, after)
  local spans = {}
  for from, upto in string.gmatch(call('HGET', 'talks:' .. account, conversation) or '', '(%d+%-%d+):([%d%-]*)') do
    -- An earlier topic of the same name ended before this one began.
    if above(since, from) then spans[#spans + 1] = from .. ':' .. upto end
  end
  if above(after, since) then spans[#spans + 1] = since .. ':' .. after end
  spans[#spans + 1] = after .. ':'
  call('HSET', 'talks:' .. account, conversation, table.concat(spans, ',', math.max(1, #spans - SPANS + 1)))
  move_on('cursor:' .. account, conversation, after)
  for _, device in ipairs(call('HKEYS', 'seen:' .. account)) do
    move_on('cursor:' .. account .. '/' .. device, conversation, after)
  end
  local _, number = position(after)
  if number > tonumber(call('HGET', 'meta:' .. conversation, 'r:' .. account) or 0) then
    call('HSET', 'meta:' .. conversation, 'r:' .. account, number)
  end
end
