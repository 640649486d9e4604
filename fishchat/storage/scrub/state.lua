-- Read how far the scrub is.
-- args: none
-- reply: conversations that wait, conversations copied since the file was written, time of the last scrub in ms or 0

local found = call('HMGET', 'scrub', 'copied', 'written', 'last')
local waiting = call('SCARD', 'unscrubbed') + #call('SDIFF', 'scrubbing', 'unscrubbed')
return {waiting, tonumber(found[1] or 0) - tonumber(found[2] or 0), tonumber(found[3] or 0)}
