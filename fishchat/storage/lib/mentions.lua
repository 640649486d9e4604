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

-- The lists of numbers are read once a batch, and those that it changes are written once, by `write_mentions`.
local lists, named = {}, {}

local function list_of(key, field, most)
  local id = key .. ' ' .. field
  local list = lists[id]
  if not list then
    list = {key = key, field = field, most = most, numbers = {}, has = {}}
    for number in string.gmatch(call('HGET', key, field) or '', '%d+') do
      number = tonumber(number)
      list.numbers[#list.numbers + 1], list.has[number] = number, true
    end
    lists[id] = list
  end
  return list
end

local function mentions_in(conversation, account)
  return list_of('mentions:' .. account, conversation, KEPT)
end

local function mentions_of_all(conversation)
  return list_of('meta:' .. conversation, 'A', KEPT_FOR_ALL)
end

local function add_mention(list, number)
  if list.has[number] then return end
  list.numbers[#list.numbers + 1], list.has[number], list.is_changed = number, true, true
end

local function remove_mention(list, number)
  if not list.has[number] then return end
  list.has[number], list.is_changed = nil, true
end

-- Write the lists that were changed, each with its newest numbers. A script that includes this calls it at its end.
local function write_mentions()
  for _, list in pairs(lists) do
    if list.is_changed then
      local kept = {}
      for i = #list.numbers, 1, -1 do
        if #kept == list.most then break end
        if list.has[list.numbers[i]] then table.insert(kept, 1, string.format('%d', list.numbers[i])) end
      end
      if #kept == 0 then
        call('HDEL', list.key, list.field)
      else
        call('HSET', list.key, list.field, table.concat(kept, ' '))
      end
    end
  end
end

-- Return a name without the stops that follow it at the end of a sentence, or nil.
local function bare(name)
  local without = string.match(name, '^(.-)[._%-]+$')
  return without ~= '' and without or nil
end

-- Return the member that a word of a text names, or nil.
local function member_named(conversation, name)
  local id = conversation .. ' ' .. name
  local member = named[id]
  if member == nil then
    local members, without = 'members:' .. conversation, bare(name)
    member = call('HEXISTS', members, name) == 1 and name
      or without and call('HEXISTS', members, without) == 1 and without
    named[id] = member or false
  end
  return member or nil
end

-- Take note of the members of a topic whom a message with this number mentions.
local function note_mentions(conversation, number, account, body)
  each_mentioned(body, function(name)
    if name == 'all' and string.find(body, '^%S+ %S+ %S+ [^ ]*;mention=all[; ]') then
      add_mention(mentions_of_all(conversation), number)
      return
    end
    local member = member_named(conversation, name)
    if member and member ~= account then add_mention(mentions_in(conversation, member), number) end
  end)
end

-- Forget the mentions of a message that is erased, also of accounts that are no longer members.
local function forget_mentions(conversation, number, body)
  each_mentioned(body, function(name)
    local without = bare(name)
    remove_mention(mentions_in(conversation, name), number)
    if without then remove_mention(mentions_in(conversation, without), number) end
    if name == 'all' then remove_mention(mentions_of_all(conversation), number) end
  end)
end
