-- Return whether these spans, which are in their order, hold a position.
local function sees(spans, epoch, number)
  for e1, n1, e2, n2 in string.gmatch(spans, '(%d+)%-(%d+):(%d*)%-?(%d*)') do
    e1, n1 = tonumber(e1), tonumber(n1)
    if e1 > epoch or (e1 == epoch and n1 >= number) then return false end
    e2, n2 = tonumber(e2), tonumber(n2)
    if not e2 or e2 > epoch or (e2 == epoch and n2 >= number) then return true end
  end
  return false
end
