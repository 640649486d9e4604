--- @include "erased"

-- Remove what a deleted account has asked others and reported, with the texts, what others have asked it, and its settings
-- and remarks.
local function erase_requests(account)
  local asks = call('HGETALL', 'contact_asks:' .. account)
  for i = 1, #asks, 2 do
    call('HDEL', 'contact_asked:' .. asks[i], account)
    local at = string.match(asks[i + 1], ' (%d+%-%d+)$')
    if at and call('XDEL', 'log:' .. '@' .. asks[i], at) == 1 then mark_unscrubbed('@' .. asks[i]) end
  end
  local reports = call('HVALS', 'reported:' .. account)
  for i, report in ipairs(reports) do reports[i] = string.match(report, ' (%S+)$') end
  if #reports > 0 then call('XDEL', 'reports', unpack(reports)) end
  call('DEL', 'contact_asks:' .. account, 'contact_asked:' .. account, 'reported:' .. account,
    'prefs:' .. account, 'remarks:' .. account)
end
