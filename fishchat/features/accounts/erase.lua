-- Begin to delete an account: its sessions, devices, secrets and relations end, and its name stays taken.
-- args: account, version (that the password of an owner who deletes it must have; '' for the operator)
-- reply: OK, sessions ended, devices, tokens, conversations that are left
-- refuses: NOTFOUND, AUTH, STATE
-- writes: account:<account> seen:<account> tokens:<account> relations:<account> cursor:<account>
--   cursor:<account>/<device> guesses:<name> changes:<account> at:<account> session:<account> on:<server>:<incarnation>
--   meta:<conversation> mentions:<account> revocations erasing erasures
--   prefs:<account> remarks:<account> contact_asked:<account>
--- @include "clock"
--- @include "erased"
--- @include "sessions"
--- @include "set_shut"

-- Afterwards erase_conversation erases its messages, conversation by conversation, and erase_requests what it has asked and told
-- others; then finish_erase removes the list of its conversations.

-- After the owner's command the manager does this; the operator's command does it itself.

local account, version = unpack(args)
local found = call('HMGET', 'account:' .. account, 'created', 'deleted', 'version', 'disabled')
if not found[1] and not found[2] then return {'NOTFOUND'} end
if version ~= '' then
  if found[3] ~= version then return {'AUTH'} end
  if found[4] then return {'STATE'} end
end
local ended = end_sessions(account, '', '', 'deleted')
local devices, tokens = call('HKEYS', 'seen:' .. account), call('HLEN', 'tokens:' .. account)
for _, device in ipairs(devices) do call('DEL', 'cursor:' .. account .. '/' .. device) end
call('DEL', 'account:' .. account, 'seen:' .. account, 'tokens:' .. account, 'relations:' .. account,
  'cursor:' .. account, 'guesses:' .. account, 'changes:' .. account, 'at:' .. account, 'mentions:' .. account)
-- These may be large: Redis frees them in the background.
call('UNLINK', 'prefs:' .. account, 'remarks:' .. account, 'contact_asked:' .. account)
call('HSET', 'account:' .. account, 'deleted', milliseconds())
note_account_erased(account)
local left = call('HKEYS', 'talks:' .. account)
for _, conversation in ipairs(left) do
  local one, other = string.match(conversation, '^([^#@+]+)%+(.+)$')
  if one and one ~= other then set_shut(conversation, account, true) end
end
if version ~= '' then call('SADD', 'erasing', account) end
return {'OK', ended, #devices, tokens, left}
