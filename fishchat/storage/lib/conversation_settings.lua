--- @include "clock"

-- The settings that an account has made for a conversation: 'notify ends marks remark'. notify is all, mentions or none, ends
-- is the time (ms) at which that ends or 0, marks are '-' or some of 'p' (pinned) and 'a' (archived).

-- Return the four parts of stored settings, or of nil. A notify setting that has ended is 'all' again.
local function settings_in(text)
  local notify, ends, marks, remark = string.match(text or 'all 0 - ', '^(%S+) (%d+) (%S+) (.*)$')
  if ends ~= '0' and tonumber(ends) <= milliseconds() then notify, ends = 'all', '0' end
  return notify, ends, marks, remark
end

-- Return settings in their stored form, '' if all of them are as at the beginning.
local function settings_as(notify, ends, marks, remark)
  local text = notify .. ' ' .. ends .. ' ' .. marks .. ' ' .. remark
  return text == 'all 0 - ' and '' or text
end
