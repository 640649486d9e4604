--- @include "spans"
--- @include "relations"
--- @include "append"
--- @include "notices"
--- @include "told"

-- Requests to join a topic: 'asked:<conversation>' holds them, 'asking:<account>' where an account has made some.

-- Admins that are notified of a request, besides the owner.
local NOTIFIED = 20

-- Remove the request of an account. Return whether there was one.
local function forget_request(topic, account)
  call('SREM', 'asking:' .. account, topic)
  return call('HDEL', 'asked:#' .. topic, account) == 1
end

-- Requests end with their topic, which does not know the sets of the accounts.
local function forget_ended(account)
  for _, topic in ipairs(call('SMEMBERS', 'asking:' .. account)) do
    if call('HEXISTS', 'asked:#' .. topic, account) == 0 then call('SREM', 'asking:' .. account, topic) end
  end
end

local function admitting(conversation)
  local found, cursor = {call('HGET', 'topic:' .. conversation, 'owner')}, '0'
  repeat
    local page = call('HSCAN', 'admins:' .. conversation, cursor, 'COUNT', NOTIFIED)
    cursor = page[1]
    for i = 1, #page[2], 2 do
      if #found <= NOTIFIED then found[#found + 1] = page[2][i] end
    end
  until cursor == '0' or #found > NOTIFIED
  return found
end

-- Store the request of an account, or another text of it. The owner and the admins are notified of the first one, except those
-- who have blocked the account. Return the reply of the script, and whether the request is new.
local function ask_to_join(place, topic, account, device, text, most_topics, most_requests)
  local conversation = '#' .. topic
  local is_new = call('HEXISTS', 'asked:' .. conversation, account) == 0
  if is_new then
    if call('HLEN', 'asked:' .. conversation) >= most_requests then return {'FULL', most_requests} end
    if call('SCARD', 'asking:' .. account) >= most_topics then forget_ended(account) end
    if call('SCARD', 'asking:' .. account) >= most_topics then return {'FULL', most_topics} end
    call('SADD', 'asking:' .. account, topic)
  end
  local with_text = text == '' and '' or ' ' .. text
  call('HSET', 'asked:' .. conversation, account, timestamp() .. with_text)
  local notices, server, incarnation, epoch, stream = {}, unpack(place)
  for _, admin in ipairs(is_new and admitting(conversation) or {}) do
    if not is_blocked(call('HGET', 'relations:' .. admin, account)) then
      local body = notice_by(account, device, 'REQUESTED ' .. topic .. ' ' .. account .. with_text)
      open_span(admin, '@' .. admin, '0-0')
      local notice = append(server, incarnation, epoch, stream, '@' .. admin, body, true)
      notices[#notices + 1] = notice
      if text ~= '' then note_told(account, '@' .. admin, epoch .. '-' .. notice[4]) end
    end
  end
  return {'OK', 0, '', notices}, is_new
end
