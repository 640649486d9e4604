-- Describe some conversations of an account, with the last message of each if wanted.
-- args: account, conversations (50 at most, with messages 25), preview (whether messages are wanted), longest (bytes of a text)
-- reply: packed (flat: conversation, last number that it may see, number that it has read, unread, position of the last
--   message or '', its sender, its form, the beginning of its text, display name of the other account or '', settings of the
--   account for the conversation or ''); conversations that the account does not have are left out
--- @include "conversation_settings"
--- @include "shown_name"
--- @include "standing"

local account, conversations, preview, longest = unpack(args)

-- Entries at the end of a conversation that are searched for a message: a notice is none.
local SEARCHED = 32

local function is_message(form)
  local kind = string.match(form, '^[^;]*')
  return kind == '-' or kind == 'e'
end

local function last_message(conversation, spans)
  local pieces, left = {}, SEARCHED
  for from, upto in string.gmatch(spans, '(%d+%-%d+):([%d%-]*)') do pieces[#pieces + 1] = {from, upto} end
  for p = #pieces, 1, -1 do
    local bottom, top = '(' .. pieces[p][1], pieces[p][2] == '' and '+' or pieces[p][2]
    local count = 1
    repeat
      local entries = call('XREVRANGE', 'log:' .. conversation, top, bottom, 'COUNT', count)
      for _, entry in ipairs(entries) do
        local sender, form, text = string.match(entry[2][4], '^(%S+) %S+ %S+ (%S+) (.*)$')
        if is_message(form) then return entry[1], sender, form, string.sub(text, 1, longest) end
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

local out = {}
local function add(...)
  for i = 1, select('#', ...) do out[#out + 1] = (select(i, ...)) end
end

local settings = #conversations > 0 and call('HMGET', 'prefs:' .. account, unpack(conversations))
for at, conversation in ipairs(conversations) do
  local spans = call('HGET', 'talks:' .. account, conversation)
  if spans then
    add(conversation, standing(account, conversation, spans))
    local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
    if preview and string.sub(conversation, 1, 1) ~= '@' then
      add(last_message(conversation, spans))
    else
      add('', '', '', '')
    end
    add(preview and one and shown_name(account, one == account and other or one) or '')
    add(settings[at] and settings_as(settings_in(settings[at])) or '')
  end
end
return cmsgpack.pack(out)
