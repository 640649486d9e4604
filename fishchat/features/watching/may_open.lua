-- Return whether an account is a member of a topic, so that it may watch it.
-- args: account, topic
-- reply: OK
-- refuses: NOTFOUND, NOTMEMBER
--- @include "rights"
--- @include "sight"

local account, topic = unpack(args)
-- Who was never a member learns nothing, as with history.
if not sight_of(account, '#' .. topic) then return {'NOTFOUND'} end
return forbids(account, '#' .. topic, 'list') or {'OK'}
