-- Describe some conversations of an account, with the last message of each if wanted.
-- args: account, conversations (50 at most, with messages 25), preview (whether messages are wanted), longest (bytes of a text)
-- reply: packed (flat: conversation, last number that it may see, number that it has read, unread, position of the last
--   message or '', its sender, its form, the beginning of its text, display name of the other account or '', settings of the
--   account for the conversation or '', unread messages that mention it); conversations that the account does not have are
--   left out
--- @include "conversation_settings"
--- @include "shown_name"
--- @include "standing"
--- @include "fold"
--- @include "merge"
--- @include "sight"

local account, conversations, preview, longest = unpack(args)

-- Entries at the end of a conversation that are searched for a message: a notice is none.
local SEARCHED = 32

local function is_message(form)
  local kind = string.match(form, '^[^;]*')
  return kind == '-' or kind == 'e'
end

-- Return the newest messages between two bounds as XREVRANGE takes them, and what stands for recalled ones.
local function newest_of(conversation, bottom, top, count, may_see)
  local entries = call('XREVRANGE', 'log:' .. conversation, top, bottom, 'COUNT', count)
  if call('HEXISTS', 'meta:' .. conversation, 'k') == 0 then return entries end
  local after, upto = string.sub(bottom, 2), top
  if top == '+' then
    upto = ''
  elseif string.sub(top, 1, 1) == '(' then
    local epoch, number = position(string.sub(top, 2))
    upto = epoch .. '-' .. math.max(0, number - 1)
  end
  return merged(entries, stubs_between(conversation, after, upto, count, true, may_see), count, true)
end

-- Return the sender, the form and the text of an entry as they stand now.
local function shown(conversation, entry, may_see)
  local state = amended(conversation, select(2, position(entry[1])))
  local body = edited_body(conversation, entry[2][4], state, may_see)
  local sender, _, _, form, text = parts_of(body)
  return sender, form, text
end

local function last_message(conversation, spans)
  local pieces, left = {}, SEARCHED
  local function may_see(at) return sees(spans, at) end
  for from, upto in string.gmatch(spans, '(%d+%-%d+):([%d%-]*)') do pieces[#pieces + 1] = {from, upto} end
  for p = #pieces, 1, -1 do
    local bottom, top = '(' .. pieces[p][1], pieces[p][2] == '' and '+' or pieces[p][2]
    local count = 1
    repeat
      local entries = newest_of(conversation, bottom, top, count, may_see)
      for _, entry in ipairs(entries) do
        if is_message((select(4, parts_of(entry[2][4])))) then
          local sender, form, text = shown(conversation, entry, may_see)
          return entry[1], sender, form, string.sub(text, 1, longest)
        end
        top = '(' .. entry[1]
      end
      left = left - #entries
      local more = #entries == count and left > 0
      count = math.min(left, 8)
    until not more
    if left <= 0 then break end
  end
  return '', '', '', ''
end

-- Return how many unread messages of a topic mention an account, or everybody.
local function mentions_of(account, conversation, spans, read)
  local all = string.sub(conversation, 1, 1) == '#' and call('HGET', 'meta:' .. conversation, 'A') or ''
  local own = call('HGET', 'mentions:' .. account, conversation) or ''
  local count = 0
  for number in string.gmatch(own .. ' ' .. all, '%d+') do
    number = tonumber(number)
    if number > read then
      for from, upto in string.gmatch(spans, '%d+%-(%d+):([%d%-]*)') do
        if number > tonumber(from) and (upto == '' or number <= select(2, position(upto))) then count = count + 1 end
      end
    end
  end
  return count
end

local out = {}
local function add(...)
  for i = 1, select('#', ...) do out[#out + 1] = (select(i, ...)) end
end

local settings = #conversations > 0 and call('HMGET', 'prefs:' .. account, unpack(conversations))
for at, conversation in ipairs(conversations) do
  local spans = call('HGET', 'talks:' .. account, conversation)
  if spans then
    local last, read, unread = standing(account, conversation, spans)
    add(conversation, last, read, unread)
    local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
    if preview and string.sub(conversation, 1, 1) ~= '@' then
      add(last_message(conversation, spans))
    else
      add('', '', '', '')
    end
    add(preview and one and shown_name(account, one == account and other or one) or '')
    add(settings[at] and settings_as(settings_in(settings[at])) or '')
    add(unread > 0 and mentions_of(account, conversation, spans, read) or 0)
  end
end
return cmsgpack.pack(out)
