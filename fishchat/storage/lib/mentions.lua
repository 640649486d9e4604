--- @include "bodies"

-- Who is mentioned: mentions:<account> holds for each topic the newest numbers that mention the account, and field 'A' of
-- the counters of a topic those that mention everybody.
local MENTIONED, KEPT, KEPT_FOR_ALL = 16, 100, 32

-- Call `each` for every name that a body mentions: its tag, if it has one, otherwise the words '@name' of a plain text.
local function each_mentioned(body, each)
  local _, _, _, form, text = parts_of(body)
  local tag = attribute_of(form, 'mention')
  if tag then
    for name in string.gmatch(tag, '[^,]+') do each(name) end
    return
  end
  local kind = kind_of(form)
  if kind ~= '-' and (kind ~= 'edit' or attribute_of(form, 'esc')) then return end
  local count = 0
  for name in string.gmatch(' ' .. text, '[^%w._%-@]@([a-z0-9._%-]+)') do
    count = count + 1
    if count > MENTIONED then return end
    each(name)
  end
end

-- Return the numbers of a list with one more, at the end, and no more than `most`.
local function with_number(list, number, most)
  list = (list and list .. ' ' or '') .. string.format('%d', number)
  local _, blanks = string.gsub(list, ' ', ' ')
  return blanks < most and list or string.match(list, ' (.*)$')
end

local function without_number(list, number)
  local kept = {}
  for one in string.gmatch(list or '', '%d+') do
    if tonumber(one) ~= number then kept[#kept + 1] = one end
  end
  return table.concat(kept, ' ')
end

-- Return the member that a word of a text names, or nil: a name at the end of a sentence is followed by its stop.
local function member_named(conversation, name)
  local members = 'members:' .. conversation
  if call('HEXISTS', members, name) == 1 then return name end
  local bare = string.match(name, '^(.-)[._%-]+$')
  if bare and bare ~= '' and call('HEXISTS', members, bare) == 1 then return bare end
end

-- Take note of the members of a topic whom a message with this number mentions.
local function note_mentions(conversation, number, account, body)
  local done = {[account] = true}
  each_mentioned(body, function(name)
    if name == 'all' and string.find(body, '^%S+ %S+ %S+ [^ ]*;mention=all[; ]') then
      local meta = 'meta:' .. conversation
      call('HSET', meta, 'A', with_number(call('HGET', meta, 'A'), number, KEPT_FOR_ALL))
      return
    end
    local member = member_named(conversation, name)
    if not member or done[member] then return end
    done[member] = true
    local key = 'mentions:' .. member
    call('HSET', key, conversation, with_number(call('HGET', key, conversation), number, KEPT))
  end)
end

-- Forget the mentions of a message that was recalled.
local function forget_mentions(conversation, number, body)
  each_mentioned(body, function(name)
    local key, field = 'mentions:' .. (member_named(conversation, name) or name), conversation
    if name == 'all' then key, field = 'meta:' .. conversation, 'A' end
    local list = call('HGET', key, field)
    local left = list and without_number(list, number)
    if left == '' then
      call('HDEL', key, field)
    elseif left and left ~= list then
      call('HSET', key, field, left)
    end
  end)
end
