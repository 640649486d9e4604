--- @include "positions"
--- @include "spans"

-- End a membership, and with it the role of an admin. Messages up to now can be read, mutes and bans remain. Return the new
-- membership version.
local function expel(account, conversation)
  call('HDEL', 'members:' .. conversation, account)
  call('HDEL', 'admins:' .. conversation, account)
  call('SREM', 'topics:' .. account, string.sub(conversation, 2))
  close_span(account, conversation, last_of(conversation))
  return call('HINCRBY', 'meta:' .. conversation, 'v', 1)
end
