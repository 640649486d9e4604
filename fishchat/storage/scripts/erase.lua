-- An account ends: its sessions, devices, secrets and relations are gone, its name stays taken. What it said is erased
-- conversation by conversation behind this (erase_talk), and then the list of those (erase_end).
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
return {'OK', ended, #devices, tokens, call('HKEYS', 'talks:' .. account)}
