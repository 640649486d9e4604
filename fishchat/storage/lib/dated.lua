-- Return the first entry whose time can be right, nil if the first 1,000 have none. A clock without a battery is in
-- 1970 until it is set: the times of such entries say nothing, so they count as old as the next entry.
local function first_dated(log, earliest)
  local from = '-'
  for _ = 1, 10 do
    local page = call('XRANGE', log, from, '+', 'COUNT', 100)
    for _, entry in ipairs(page) do
      if tonumber(entry[2][2]) >= earliest then return entry end
    end
    if #page < 100 then return nil end
    from = '(' .. page[#page][1]
  end
  return nil
end
