-- Read a page of a conversation, oldest first, of what an account may see.
-- args: account, conversation, before (position or ''), after (position or ''), limit, topic (what a name may mean, or '')
-- reply: entries (flat: position, time, body)
-- refuses: NOTFOUND, TOPIC (the account has no such conversation, but the topic)
--- @include "sight"
--- @include "positions"

local account, conversation, before, after, limit, topic = unpack(args)
local spans = sight_of(account, conversation)
if not spans then return unseen(account, topic) end

if before == '0-0' then return {} end  -- no such bound for Redis

local function lower(one, other)  -- the higher of two lower bounds
  if one == '' then return other end
  return above(one, other) and one or other
end

local pieces = {}
for from, upto in string.gmatch(spans, '(%d+%-%d+):([%d%-]*)') do
  pieces[#pieces + 1] = {from = lower(after, from), upto = upto}
end

-- A page ends early if it would hold more bytes than these.
local BYTES = 131072
local log, picked, bytes = 'log:' .. conversation, {}, 0
local function pick(entries)  -- false when the page is full
  for _, entry in ipairs(entries) do
    bytes = bytes + #entry[2][4]
    if bytes > BYTES and #picked > 0 then return false end
    picked[#picked + 1] = entry
  end
  return #picked < limit
end

local function top_of(piece)
  if before ~= '' and (piece.upto == '' or not above(before, piece.upto)) then return '(' .. before end
  return piece.upto == '' and '+' or piece.upto
end

-- With a lower bound the page starts there; otherwise it is the newest page.
local forward = after ~= ''
for p = 1, #pieces do
  local piece = pieces[forward and p or #pieces + 1 - p]
  local bottom, top, left = '(' .. piece.from, top_of(piece), limit - #picked
  local entries = forward and call('XRANGE', log, bottom, top, 'COUNT', left)
    or call('XREVRANGE', log, top, bottom, 'COUNT', left)
  if not pick(entries) then break end
end
local out = {}
for i = 1, #picked do
  local entry = picked[forward and i or #picked + 1 - i]
  local o = #out
  out[o + 1], out[o + 2], out[o + 3] = entry[1], entry[2][2], entry[2][4]
end
return out
