-- Erases what a deleted account said in one conversation, some hundred entries a call.
-- args: account, conversation, position to go on after ('' at the beginning), entries to look at.
-- Gives {position to go on after or '', messages erased, 1 if a membership ended, 1 if a topic has another owner now,
-- 1 if a topic ended}. At the end the account is no member any more, and the conversation is off its list: a deletion that
-- was interrupted does not begin anew.
local account, conversation, after, count = unpack(args)
local log = 'log:' .. conversation
local page = call('XRANGE', log, after == '' and '-' or '(' .. after, '+', 'COUNT', count)
local mine, erased = account .. ' ', 0
for _, entry in ipairs(page) do
  local body = entry[2][4]
  if string.sub(body, 1, #mine) == mine then erased = erased + call('XDEL', log, entry[1]) end
  local topic = conversation == '@' .. account and string.match(body, '^%S+ %S+ %S+ n INVITED (%S+)$')
  if topic then call('SREM', 'invited:#' .. topic, account) end
end
if #page == count then return {page[#page][1], erased, 0, 0, 0} end
call('HDEL', 'talks:' .. account, conversation)

local meta = 'meta:' .. conversation
for _, field in ipairs(call('HKEYS', meta)) do
  if field == 'r:' .. account or string.sub(field, 1, #account + 1) == account .. '/' then call('HDEL', meta, field) end
end
local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
if string.sub(conversation, 1, 1) == '@' or (one and one == other) then
  call('DEL', log, meta)
  return {'', erased, 0, 0, 0}
end
if one then return {'', erased, 0, 0, 0} end

local topic = string.sub(conversation, 2)
call('SREM', 'invited:' .. conversation, account)
if call('HDEL', 'members:' .. conversation, account) == 0 then return {'', erased, 0, 0, 0} end
call('HINCRBY', meta, 'v', 1)
local passed, over = 0, 0
if call('HGET', 'topic:' .. conversation, 'owner') == account then
  local heir, since
  local members = call('HGETALL', 'members:' .. conversation)
  for i = 1, #members, 2 do
    if not heir or above(since, members[i + 1]) or (since == members[i + 1] and precedes(members[i], heir)) then
      heir, since = members[i], members[i + 1]
    end
  end
  if heir then
    call('HSET', 'topic:' .. conversation, 'owner', heir)
    passed = 1
  else
    call('DEL', 'topic:' .. conversation, 'members:' .. conversation, 'invited:' .. conversation)
    over = 1
  end
end
call('PUBLISH', '/sysctrl/topic-sync', cjson.encode({topics = {topic}, accounts = {[topic] = {account}}}))
return {'', erased, 1, passed, over}
