-- A page of a conversation, oldest first, of what the account may see.
-- args: account, conversation, before ('' or position), after ('' or position), limit.
-- Gives a flat array of position, time, body; or 'NOTFOUND'.
local account, conversation, before, after, limit = unpack(args)
local spans = call('HGET', 'talks:' .. account, conversation)
if not spans then return 'NOTFOUND' end

if before == '0-0' then return {} end  -- no such bound for Redis

local function lower(one, other)  -- of two lower bounds the higher one
  if one == '' then return other end
  return above(one, other) and one or other
end

local pieces = {}
for from, upto in string.gmatch(spans, '(%d+%-%d+):([%d%-]*)') do
  pieces[#pieces + 1] = {from = lower(after, from), upto = upto}
end

local log, out = 'log:' .. conversation, {}
local function keep(entry)
  local o = #out
  out[o + 1], out[o + 2], out[o + 3] = entry[1], entry[2][2], entry[2][4]
end

-- With a lower bound the page starts there; else it is the newest one.
if after ~= '' then
  for _, piece in ipairs(pieces) do
    local left = limit - #out / 3
    if left <= 0 then break end
    local top = piece.upto == '' and '+' or piece.upto
    if before ~= '' and (top == '+' or above(top, before) or top == before) then top = '(' .. before end
    for _, entry in ipairs(call('XRANGE', log, '(' .. piece.from, top, 'COUNT', left)) do keep(entry) end
  end
  return out
end
local newest = {}
for p = #pieces, 1, -1 do
  local piece, left = pieces[p], limit - #newest
  if left <= 0 then break end
  local top = piece.upto == '' and '+' or piece.upto
  if before ~= '' and (top == '+' or above(top, before) or top == before) then top = '(' .. before end
  for _, entry in ipairs(call('XREVRANGE', log, top, '(' .. piece.from, 'COUNT', left)) do newest[#newest + 1] = entry end
end
for i = #newest, 1, -1 do keep(newest[i]) end
return out
