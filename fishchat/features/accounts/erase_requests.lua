-- Remove what a deleted account has asked others and reported, with the texts, and its texts in the notices of others, some
-- hundred entries a call.
-- args: account, count (entries to remove)
-- reply: 1 if more may be left, else 0
-- writes: contact_asks:<account> contact_asked:<account> log:<conversation> unscrubbed reported:<account> reports
--   asked:<conversation> asking:<account> told:<account> quiet:<conversation> meta:<conversation>
--- @include "erased"
--- @include "told"

local account, count = unpack(args)

-- Return some fields of a hash with their values, as a flat array.
local function some_of(key)
  local found = call('HSCAN', key, '0', 'COUNT', count)[2]
  return #found <= 2 * count and found or {unpack(found, 1, 2 * count)}
end

local asks = some_of('contact_asks:' .. account)
for i = 1, #asks, 2 do
  local other, at = asks[i], string.match(asks[i + 1], ' (%d+%-%d+)$')
  call('HDEL', 'contact_asked:' .. other, account)
  if at and call('XDEL', 'log:' .. '@' .. other, at) == 1 then mark_unscrubbed('@' .. other) end
  call('HDEL', 'contact_asks:' .. account, other)
end
if #asks > 0 then return 1 end

local reports = some_of('reported:' .. account)
for i = 1, #reports, 2 do
  call('XDEL', 'reports', string.match(reports[i + 1], ' (%S+)$'))
  call('HDEL', 'reported:' .. account, reports[i])
end
if #reports > 0 then
  mark_reports()
  return 1
end

for _, topic in ipairs(call('SPOP', 'asking:' .. account, count)) do call('HDEL', 'asked:#' .. topic, account) end
return (erase_told(account, count) == count or call('EXISTS', 'asking:' .. account) == 1) and 1 or 0
