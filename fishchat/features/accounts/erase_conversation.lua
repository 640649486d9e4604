-- Erase the messages of a deleted account in one conversation, some hundred entries a call.
-- args: account, conversation, after (position or ''), count (entries to check)
-- reply: position to go on after or '', messages erased, 1 if a membership ended, 1 if a topic has a new owner, 1 if
--   a topic ended
-- writes: log:<conversation> meta:<conversation> talks:<account> invited:<conversation> members:<conversation>
--   topic:<conversation> ops:<conversation> quiet:<conversation> amended:<conversation> changed:<conversation>
--   react:<conversation>:<number> pins:<conversation> unscrubbed
--- @include "erased"
--- @include "positions"
--- @include "names"
--- @include "bodies"
--- @include "quiet"
--- @include "unamend"

-- At the end the membership is removed and the conversation is off the list, so an interrupted deletion does not start over.

local account, conversation, after, count = unpack(args)
local log = 'log:' .. conversation
local page = call('XRANGE', log, after == '' and '-' or '(' .. after, '+', 'COUNT', count)
local erased = 0
for _, entry in ipairs(page) do
  local body = entry[2][4]
  if is_by(body, account) then
    local number = select(2, position(entry[1]))
    erased = erased + call('XDEL', log, entry[1])
    add_quiet(conversation, number)
    unamend(conversation, number, entry[1])
  end
  local topic = conversation == '@' .. account and invitation_of(body)
  if topic then call('SREM', 'invited:#' .. topic, account) end
end
if erased > 0 then mark_unscrubbed(conversation) end
if #page == count then return {page[#page][1], erased, 0, 0, 0} end
call('HDEL', 'talks:' .. account, conversation)

local meta = 'meta:' .. conversation
for _, field in ipairs(call('HKEYS', meta)) do
  if field == 'r:' .. account or string.sub(field, 1, #account + 1) == account .. '/' then call('HDEL', meta, field) end
end
local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
if string.sub(conversation, 1, 1) == '@' or (one and one == other) then
  if call('DEL', log, meta, 'ops:' .. conversation) > 0 then mark_unscrubbed(conversation) end
  call('DEL', 'quiet:' .. conversation, 'amended:' .. conversation, 'changed:' .. conversation, 'pins:' .. conversation)
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
