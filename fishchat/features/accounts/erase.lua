-- Begin to delete an account: its sessions, devices, secrets and relations end, and its name stays taken.
-- args: account
-- reply: OK, sessions ended, devices, tokens, conversations that are left
-- refuses: NOTFOUND
-- writes: account:<account> seen:<account> tokens:<account> relations:<account> cursor:<account>
--   cursor:<account>/<device> guesses:<name> changes:<account> at:<account> session:<account> on:<server>:<incarnation>
--   meta:<conversation> revocations
--- @include "clock"
--- @include "sessions"
--- @include "set_shut"

-- Afterwards erase_conversation erases its messages, conversation by conversation; then finish_erase removes their list.

local account = args[1]
local found = call('HMGET', 'account:' .. account, 'created', 'deleted')
if not found[1] and not found[2] then return {'NOTFOUND'} end
local ended = end_sessions(account, '', '', 'deleted')
local devices, tokens = call('HKEYS', 'seen:' .. account), call('HLEN', 'tokens:' .. account)
for _, device in ipairs(devices) do call('DEL', 'cursor:' .. account .. '/' .. device) end
call('DEL', 'account:' .. account, 'seen:' .. account, 'tokens:' .. account, 'relations:' .. account,
  'cursor:' .. account, 'guesses:' .. account, 'changes:' .. account, 'at:' .. account)
call('HSET', 'account:' .. account, 'deleted', milliseconds())
local left = call('HKEYS', 'talks:' .. account)
for _, conversation in ipairs(left) do
  local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
  if one and one ~= other then set_shut(conversation, account, true) end
end
return {'OK', ended, #devices, tokens, left}
