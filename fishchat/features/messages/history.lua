-- Read a page of a conversation, oldest first, of what an account may see: with the texts that stand now.
-- args: account, conversation, before (position or ''), after (position or ''), limit, topic (what a name may mean, or ''),
--   operations (whether they are wanted, too), versions (who may see replaced texts)
-- reply: entries (flat: position, time, body)
-- refuses: NOTFOUND, TOPIC (the account has no such conversation, but the topic)
--- @include "sight"
--- @include "positions"
--- @include "merge"
--- @include "fold"

local account, conversation, before, after, limit, topic, operations, versions = unpack(args)
local spans = sight_of(account, conversation)
if not spans then return unseen(account, topic) end

if before == '0-0' then return {} end  -- no such bound for Redis

local log, ops = 'log:' .. conversation, 'ops:' .. conversation
-- With a lower bound the page starts there; otherwise it is the newest page.
local forward = after ~= ''
local is_amended = call('HGET', 'meta:' .. conversation, 'k')
local pins = is_amended and pins_of(conversation)

local function may_see(at)
  return sees(spans, at)
end

local function range(key, from, upto, count)
  local bottom, top = '(' .. from, upto == '' and '+' or upto
  if before ~= '' and (upto == '' or not above(before, upto)) then top = '(' .. before end
  return forward and call('XRANGE', key, bottom, top, 'COUNT', count) or call('XREVRANGE', key, top, bottom, 'COUNT', count)
end

-- Return the entries of a part of the conversation, from the end at which the page begins.
local function entries_of(from, upto, count)
  if after ~= '' and above(after, from) then from = after end
  local entries = range(log, from, upto, count)
  if not is_amended then return entries end
  local top = upto
  if before ~= '' and (upto == '' or not above(before, upto)) then
    local epoch, number = position(before)
    top = epoch .. '-' .. math.max(0, number - 1)
  end
  entries = merged(entries, stubs_between(conversation, from, top, count, not forward, may_see), count, not forward)
  if operations then entries = merged(entries, range(ops, from, upto, count), count, not forward) end
  return entries
end

-- Return the text of an operation as this account may see it, or nil for an edit whose text it may not see.
local function operation_body(entry)
  local body = entry[2][4]
  local author, _, _, form = parts_of(body)
  if not sees(spans, attribute_of(form, 'of')) then return nil end
  if kind_of(form) ~= 'edit' or versions == 'members' or (versions == 'author' and author == account) then return body end
  local target = amended(conversation, select(2, position(attribute_of(form, 'of'))))
  return target.edit == entry[1] and body or nil
end

local function body_of(entry, value)
  local body = entry[2][4]
  if not is_amended then return body end
  local form = string.match(body, '^%S+ %S+ %S+ (%S+)')
  if string.find(form, ';', 1, true) then
    if attribute_of(form, 'of') then return operation_body(entry) end
  elseif not value and not pins[entry[1]] then
    return body
  end
  local state = amendment_of(value)
  if state.recalled then return body end
  return shown_body(conversation, entry[1], body, state, account, pins, may_see)
end

local function amendments_of(entries)
  local numbers = {}
  for i, entry in ipairs(entries) do numbers[i] = select(2, position(entry[1])) end
  return is_amended and #numbers > 0 and call('HMGET', 'amended:' .. conversation, unpack(numbers)) or {}
end

-- A page ends early if it would hold more bytes than these.
local BYTES = 131072
local picked, bytes = {}, 0
local function pick(entries)  -- false when the page is full
  local values = amendments_of(entries)
  for i, entry in ipairs(entries) do
    if #picked == limit then return false end
    local body = body_of(entry, values[i])
    bytes = bytes + (body and #body or 0)
    if bytes > BYTES and #picked > 0 then return false end
    if body then picked[#picked + 1] = {entry[1], entry[2][2], body} end
  end
  return #picked < limit
end

-- An empty page is the end of a conversation for its reader. So entries that are not shown take no place in the page: as
-- many more are read. If there are none but such among so many, the page is the next message alone.
local HIDDEN, STEP = 300, 100
local read = 0

-- Pick from one part of the conversation. Return whether the page is full.
local function pick_from(piece)
  local count = limit - #picked
  while true do
    local entries = entries_of(piece[1], piece[2], count)
    read = read + #entries
    if not pick(entries) then return true end
    if #entries < count then return false end
    if read >= HIDDEN + limit then
      if #picked > 0 then return true end
      operations, limit = false, 1
    end
    local last = entries[#entries][1]
    if forward then after = last else before = last end
    count = operations and math.max(limit - #picked, STEP) or 1
  end
end

local pieces = {}
for from, upto in string.gmatch(spans, '(%d+%-%d+):([%d%-]*)') do pieces[#pieces + 1] = {from, upto} end
for p = 1, #pieces do
  if pick_from(pieces[forward and p or #pieces + 1 - p]) then break end
end
local out = {}
for i = 1, #picked do
  local entry = picked[forward and i or #picked + 1 - i]
  local o = #out
  out[o + 1], out[o + 2], out[o + 3] = entry[1], entry[2], entry[3]
end
return out
