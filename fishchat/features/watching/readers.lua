-- Return which members of a conversation have read up to a message, for one of them. In a conversation of two accounts of
-- which one has blocked the other, none learns about the other one.
-- args: account, conversation, position, members (of a topic, at most)
-- reply: OK, how many members there are, names of those that have read it, names of those that have and joined later: they have
--   seen it if they were members before
-- refuses: NOTFOUND, NOTMEMBER, FULL <limit>
--- @include "positions"
--- @include "sight"
--- @include "sees"
--- @include "existed"
--- @include "rights"

local account, conversation, at, most = unpack(args)

local epoch, number = position(at)

-- Return the members, and those of them that may be asked about: flat, name and the position after which it sees messages.
local function members_of()
  if string.sub(conversation, 1, 1) == '#' then return call('HGETALL', 'members:' .. conversation) end
  local one, other = string.match(conversation, '^([^+#@]+)%+(.+)$')
  if not one or one == other or call('HGET', 'meta:' .. conversation, 'b') then return {account, '0-0'} end
  return {one, '0-0', other, '0-0'}
end

local spans, last = sight_of(account, conversation), last_of(conversation)
-- A restored store has fewer numbers than an id from after the backup.
local is_ahead = above(at, last) or number > select(2, position(last))
if not spans or not sees(spans, epoch, number) or is_ahead or not existed(conversation, at) then return {'NOTFOUND'} end
if string.sub(conversation, 1, 1) == '#' then
  local refused = forbids(account, conversation, 'list')
  if refused then return refused end
  if call('HLEN', 'members:' .. conversation) > most then return {'FULL', most} end
end
local members, fields = members_of(), {}
for i = 1, #members, 2 do fields[#fields + 1] = 'r:' .. members[i] end
local read = call('HMGET', 'meta:' .. conversation, unpack(fields))
local names, later = {}, {}
for i = 1, #fields do
  if tonumber(read[i] or 0) >= number then
    local into = above(at, members[2 * i]) and names or later
    into[#into + 1] = members[2 * i - 1]
  end
end
return {'OK', #fields, names, later}
