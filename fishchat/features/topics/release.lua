-- Release some members of a dismissed topic; they keep its messages up to the last notice.
-- args: topic, most (members)
-- reply: 1 if some were released and there are more, else 0
-- writes: dismissed:<conversation> dismissed topics:<account> talks:<account> meta:<conversation>
--- @include "positions"
--- @include "spans"

local topic, most = unpack(args)
local conversation = '#' .. topic
local left = 'dismissed:' .. conversation
local last = last_of(conversation)
-- HSCAN returns nothing when it has met ten times COUNT empty places in a row, and a hash whose members are removed in the
-- order of the scan begins with empty places.
local cursor, members = '0', {}
repeat
  local found = call('HSCAN', left, cursor, 'COUNT', most)
  cursor, members = found[1], found[2]
until #members > 0 or cursor == '0'
for i = 1, #members, 2 do
  close_span(members[i], conversation, last)
  call('SREM', 'topics:' .. members[i], topic)
  call('HDEL', left, members[i])
end
-- A caller repeats this as long as a step releases somebody.
if call('EXISTS', left) == 1 then return #members > 0 and 1 or 0 end
-- Servers read the membership again only after this, and find every span closed.
if call('SREM', 'dismissed', topic) == 1 then call('HINCRBY', 'meta:' .. conversation, 'v', 1) end
return 0
