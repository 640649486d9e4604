-- Return whether a device ('account/device') is logged in at a server, where `at` are the places of its account. A device
-- that has logged in on another server meanwhile continues its numbers there: its messages here are not stored.
local function is_at(at, server, sender, account)
  local place = server .. string.sub(sender, #account + 1)
  return at == place
    or (at and string.find(' ' .. at .. ' ', ' ' .. place .. ' ', 1, true) ~= nil)
    or false
end
