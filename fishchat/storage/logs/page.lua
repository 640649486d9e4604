-- Read a page of a conversation together with the membership version under which it was read: messages with the text that
-- stands now, and operations at their places.
-- args: conversation, after (position), upto (position or ''), count, operations (whether only these are wanted)
-- reply: membership version, last number that retention took, entries (flat: position, time in ms, body)
--- @include "fold"
--- @include "merge"

-- The version shows whether a member left meanwhile: a former member must not receive later messages.

local conversation, after, upto, count, only = unpack(args)
local bottom, top = '(' .. after, upto == '' and '+' or upto
local meta = call('HMGET', 'meta:' .. conversation, 'v', 't', 'k')
local entries = only and {} or call('XRANGE', 'log:' .. conversation, bottom, top, 'COUNT', count)
local out = {}
local function add(entry, body)
  local o = #out
  out[o + 1], out[o + 2], out[o + 3] = entry[1], entry[2][2], body
end

-- An operation that no device needs any more, or that is not pushed in a topic of this size: its number is passed over.
local function passed(body)
  return string.match(body, '^%S+ %S+ %S+ ') .. 'passed '
end

-- Somebody who left sees nothing after its last position, also not in the texts.
local function may_see(at)
  return not above(at, upto)
end

local function body_of(entry, state)
  local body = entry[2][4]
  local _, _, _, form = parts_of(body)
  local target = attribute_of(form, 'of')
  if not target then return edited_body(conversation, body, state, upto ~= '' and may_see or nil) end
  if entry[2][5] == 's' then return passed(body) end
  if kind_of(form) ~= 'edit' then return body end
  local last = edit_for(conversation, amended(conversation, select(2, position(target))), upto ~= '' and may_see or nil)
  return last == entry[1] and body or passed(body)
end

if meta[3] then
  entries = merged(entries, call('XRANGE', 'ops:' .. conversation, bottom, top, 'COUNT', count), count)
  local numbers = {}
  for i, entry in ipairs(entries) do numbers[i] = select(2, position(entry[1])) end
  local values = #numbers > 0 and call('HMGET', 'amended:' .. conversation, unpack(numbers)) or {}
  for i, entry in ipairs(entries) do add(entry, body_of(entry, amendment_of(values[i]))) end
else
  for _, entry in ipairs(entries) do add(entry, entry[2][4]) end
end
return {tonumber(meta[1] or 0), tonumber(meta[2] or 0), out}
