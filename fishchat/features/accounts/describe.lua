-- Describe an account for the operator, without its hashes.
-- args: account
-- reply: created, disabled or '', name or '', privacy or '', 1 if it has a password, sessions, devices (with those
--   that have only a token), topics, conversations, blocked, contacts
-- refuses: NOTFOUND, DELETED
--- @include "relations"

local account = args[1]
local found = call('HMGET', 'account:' .. account, 'created', 'disabled', 'name', 'privacy', 'deleted')
if found[5] then return 'DELETED' end
if not found[1] then return 'NOTFOUND' end
local devices = call('HLEN', 'seen:' .. account)
for _, device in ipairs(call('HKEYS', 'tokens:' .. account)) do
  if call('HEXISTS', 'seen:' .. account, device) == 0 then devices = devices + 1 end
end
local blocked, contacts = 0, 0
for _, relation in ipairs(call('HVALS', 'relations:' .. account)) do
  if is_blocked(relation) then blocked = blocked + 1 end
  if is_contact(relation) then contacts = contacts + 1 end
end
return {
  found[1], found[2] or '', found[3] or '', found[4] or '', call('HEXISTS', 'account:' .. account, 'argon'),
  call('HLEN', 'session:' .. account), devices, call('SCARD', 'topics:' .. account), call('HLEN', 'talks:' .. account),
  blocked, contacts,
}
