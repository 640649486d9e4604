-- Finish the scrub of a conversation whose streams were copied, unless something in it was erased meanwhile.
-- args: token, lease (ms), conversation
-- reply: OK
-- refuses: LEASE, AGAIN
-- writes: scrubber scrubbing scrub
--- @include "scrubber"

local token, lease, conversation = unpack(args)
local refused = keep_scrubber(token, lease)
if refused then return refused end
if call('SISMEMBER', 'unscrubbed', conversation) == 1 then return {'AGAIN'} end
if call('SREM', 'scrubbing', conversation) == 1 then call('HINCRBY', 'scrub', 'copied', 1) end
return {'OK'}
