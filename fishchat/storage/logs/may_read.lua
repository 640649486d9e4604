-- Return whether an account may read a conversation, or one message of it.
-- args: account, conversation, position ('' for any)
-- reply: 1 or 0
--- @include "deleted"
--- @include "sight"

local account, conversation, at = unpack(args)
local spans = sight_of(account, conversation)
if not spans or is_deleted(account) then return 0 end
if at == '' then return 1 end
return sees(spans, at) and 1 or 0
