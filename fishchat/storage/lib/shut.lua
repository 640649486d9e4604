-- Field 'b' of the counters of a p2p conversation lists the accounts that have blocked the other side. Return the refusal
-- for a sender, or nil. A blocked sender gets NOTFOUND, as for an account that does not exist.
local function shut(names, account)
  if not names then return end
  return string.find(' ' .. names .. ' ', ' ' .. account .. ' ', 1, true) and 'BLOCKED' or 'NOTFOUND'
end
