-- Erase the messages of a deleted account in one conversation, some hundred entries a call, then its place there.
-- args: account, conversation, after (what the last step returned, '' to begin), count (entries to check)
-- reply: where to go on or '', messages erased, 1 if a membership ended, 1 if a topic has a new owner, 1 if a topic ended
-- writes: log:<conversation> meta:<conversation> talks:<account> invited:<conversation> asked:<conversation>
--   members:<conversation> admins:<conversation> muted:<conversation> banned:<conversation> slow:<conversation>
--   topic:<conversation> links:<conversation> link:<fingerprint> directory ops:<conversation> quiet:<conversation>
--   amended:<conversation> changed:<conversation> react:<conversation>:<number> pins:<conversation> unscrubbed
--   count:<stream> /sysctrl/send
--- @include "deleted"
--- @include "erased"
--- @include "positions"
--- @include "names"
--- @include "bodies"
--- @include "restrictions"
--- @include "quiet"
--- @include "unamend"
--- @include "append"
--- @include "membership_news"

-- The steps, by how `after` begins: a position or nothing is the log, 'f' the fields of the counters, 'h' the search for the
-- next owner of a topic. At the end the membership is removed and the conversation is off the list, so an interrupted
-- deletion does not start over.

local account, conversation, after, count = unpack(args)
local log, meta = 'log:' .. conversation, 'meta:' .. conversation
local step, cursor, heir, since = string.match(after, '^([fh]) (%d+) ?(%S*) ?(%S*)$')
local erased = 0

if not step then
  local page = call('XRANGE', log, after == '' and '-' or '(' .. after, '+', 'COUNT', count)
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
  step, cursor = 'f', '0'
end

local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
if string.sub(conversation, 1, 1) == '@' or (one and one == other) then
  call('HDEL', 'talks:' .. account, conversation)
  -- Redis frees these, which may be large, in a thread.
  if call('UNLINK', log, meta, 'ops:' .. conversation) > 0 then mark_unscrubbed(conversation) end
  call('UNLINK', 'quiet:' .. conversation, 'amended:' .. conversation, 'changed:' .. conversation, 'pins:' .. conversation)
  return {'', erased, 0, 0, 0}
end

if step == 'f' then
  call('HDEL', meta, 'r:' .. account)
  local found = call('HSCAN', meta, cursor, 'MATCH', account .. '/*', 'COUNT', 500)
  for i = 1, #found[2], 2 do call('HDEL', meta, found[2][i]) end
  if found[1] ~= '0' then return {'f ' .. found[1], erased, 0, 0, 0} end
  cursor, heir = '0', ''
end

if one then
  call('HDEL', 'talks:' .. account, conversation)
  return {'', erased, 0, 0, 0}
end

local function may_inherit(name)
  return name ~= account and call('HEXISTS', 'members:' .. conversation, name) == 1 and not is_deleted(name)
end

-- Return the admin of longest standing, or ''.
local function oldest_admin()
  local best, first = '', nil
  local admins = call('HGETALL', 'admins:' .. conversation)
  for i = 1, #admins, 2 do
    local name, at = admins[i], tonumber(admins[i + 1])
    local is_older = not first or at < first or (at == first and precedes(name, best))
    if is_older and may_inherit(name) then best, first = name, at end
  end
  return best
end

-- Continue the search for the member of longest standing, through some more members.
local function search_members()
  local found = call('HSCAN', 'members:' .. conversation, cursor, 'COUNT', 500)
  for i = 1, #found[2], 2 do
    local name, at = found[2][i], found[2][i + 1]
    local is_older = heir == '' or above(since, at) or (since == at and precedes(name, heir))
    if is_older and may_inherit(name) then heir, since = name, at end
  end
  return found[1]
end

local topic = string.sub(conversation, 2)
local owns = call('HGET', 'topic:' .. conversation, 'owner') == account
if owns then
  local admin = oldest_admin()
  if admin ~= '' then
    heir = admin
  else
    cursor = search_members()
    if cursor ~= '0' then
      local found = heir == '' and '' or ' ' .. heir .. ' ' .. since
      return {'h ' .. cursor .. found, erased, 0, 0, 0}
    end
    -- The search took several steps, in which the member may have left.
    if heir ~= '' and not may_inherit(heir) then return {'h 0', erased, 0, 0, 0} end
  end
end

call('HDEL', 'talks:' .. account, conversation)
call('SREM', 'invited:' .. conversation, account)
for _, key in ipairs({'asked:', 'admins:', 'banned:', 'slow:'}) do call('HDEL', key .. conversation, account) end
local was_muted = call('HDEL', 'muted:' .. conversation, account) == 1
if call('HDEL', 'members:' .. conversation, account) == 0 then
  if was_muted and call('EXISTS', 'topic:' .. conversation) == 1 then set_restrictions(conversation) end
  return {'', erased, 0, 0, 0}
end
call('HINCRBY', meta, 'v', 1)
local passed, over = 0, 0
if owns and heir ~= '' then
  call('HSET', 'topic:' .. conversation, 'owner', heir)
  call('HDEL', 'admins:' .. conversation, heir)
  -- An owner who cannot write could not run the topic.
  call('HDEL', 'muted:' .. conversation, heir)
  -- After a restart of Redis, a notice under the last epoch could have the id of a lost message: then there is none.
  if string.match(call('INFO', 'Server'), 'run_id:(%w+)') == call('GET', 'epoch:run') then
    append('', '', call('GET', 'epoch'), '/sysctrl/send', conversation, '- * -1 n OWNER ' .. heir, true)
  end
  passed = 1
elseif owns then
  for _, fingerprint in ipairs(call('SMEMBERS', 'links:' .. conversation)) do call('DEL', 'link:' .. fingerprint) end
  for _, key in ipairs({'topic:', 'members:', 'invited:', 'asked:', 'admins:', 'muted:', 'banned:', 'slow:', 'links:'}) do
    call('UNLINK', key .. conversation)
  end
  call('ZREM', 'directory', topic)
  call('HDEL', meta, 'b')
  over = 1
end
if over == 0 then set_restrictions(conversation) end
publish_membership(topic, account)
return {'', erased, 1, passed, over}
