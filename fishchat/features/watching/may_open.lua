-- Return whether an account is a member of a topic, so that it may watch it.
-- args: account, topic
-- reply: OK
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"

local account, topic = unpack(args)
return forbids(account, '#' .. topic, 'list') or {'OK'}
