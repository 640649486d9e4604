-- Begin to scrub a conversation: what is erased in it from now on makes its copies useless.
-- args: token, lease (ms), conversation
-- reply: OK
-- refuses: LEASE
-- writes: scrubber unscrubbed scrubbing scrub:<log>
--- @include "scrubber"

local token, lease, conversation = unpack(args)
local refused = keep_scrubber(token, lease)
if refused then return refused end
call('SADD', 'scrubbing', conversation)
call('SREM', 'unscrubbed', conversation)
for _, stream in ipairs({'log:', 'ops:'}) do call('UNLINK', 'scrub:' .. stream .. conversation) end
return {'OK'}
