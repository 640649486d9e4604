-- Let the next scrub visit these conversations, whether something in them was erased or not.
-- args: conversations
-- reply: OK
-- writes: unscrubbed
--- @include "erased"

for _, conversation in ipairs(args[1]) do mark_unscrubbed(conversation) end
return 'OK'
