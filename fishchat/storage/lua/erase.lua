-- An account ends: its sessions, devices, secrets and relations are gone, nobody can write to it, its name stays taken.
-- What it said is erased conversation by conversation behind this (erase_talk), and then the list of those (erase_end).
-- args: account. Gives {'OK', sessions ended, devices, tokens, flat array of the conversations that are left} or {'NOTFOUND'}.
local account = args[1]
local found = call('HMGET', 'account:' .. account, 'created', 'deleted')
if not found[1] and not found[2] then return {'NOTFOUND'} end
local ended = take_back(account, '', '', 'deleted')
local devices, tokens = call('HKEYS', 'seen:' .. account), call('HLEN', 'tokens:' .. account)
for _, device in ipairs(devices) do call('DEL', 'cursor:' .. account .. '/' .. device) end
call('DEL', 'account:' .. account, 'seen:' .. account, 'tokens:' .. account, 'relations:' .. account,
  'cursor:' .. account, 'guesses:' .. account, 'at:' .. account)
call('HSET', 'account:' .. account, 'deleted', milliseconds())
local left = call('HKEYS', 'talks:' .. account)
for _, conversation in ipairs(left) do
  local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
  if one and one ~= other then set_shut(conversation, account, true) end
end
return {'OK', ended, #devices, tokens, left}
