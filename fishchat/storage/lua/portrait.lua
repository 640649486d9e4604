-- What the operator may know of an account: no hash among it. args: account.
-- Gives {created, disabled or '', name or '', privacy or '', 1 if it has a password, sessions, devices (those that have
-- only a token too), topics, conversations, blocked and contacts}, or 'NOTFOUND'; a deleted one gives 'DELETED'.
local account = args[1]
local found = call('HMGET', 'account:' .. account, 'created', 'disabled', 'name', 'privacy', 'deleted')
if found[5] then return 'DELETED' end
if not found[1] then return 'NOTFOUND' end
local devices = call('HLEN', 'seen:' .. account)
for _, device in ipairs(call('HKEYS', 'tokens:' .. account)) do
  if call('HEXISTS', 'seen:' .. account, device) == 0 then devices = devices + 1 end
end
local relations = {b = 0, c = 0}
for _, kind in ipairs(call('HVALS', 'relations:' .. account)) do relations[kind] = relations[kind] + 1 end
return {
  found[1], found[2] or '', found[3] or '', found[4] or '', call('HEXISTS', 'account:' .. account, 'argon'),
  call('HLEN', 'session:' .. account), devices, call('SCARD', 'topics:' .. account), call('HLEN', 'talks:' .. account),
  relations.b, relations.c,
}
