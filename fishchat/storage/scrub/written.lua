-- Record that Redis has written its file anew, after so many conversations had been copied.
-- args: token, lease (ms), copied (conversations, as hold returned it before the file was begun)
-- reply: OK
-- refuses: LEASE
-- writes: scrubber scrub
--- @include "clock"
--- @include "scrubber"

local token, lease, copied = unpack(args)
local refused = keep_scrubber(token, lease)
if refused then return refused end
call('HSET', 'scrub', 'written', copied, 'last', milliseconds())
return {'OK'}
