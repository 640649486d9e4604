-- Take the lease of the scrub, or keep it.
-- args: token, lease (ms)
-- reply: OK, conversations copied until now
-- refuses: LEASE
-- writes: scrubber

local token, lease = unpack(args)
local holder = call('GET', 'scrubber')
if holder and holder ~= token then return {'LEASE'} end
call('SET', 'scrubber', token, 'PX', lease)
return {'OK', tonumber(call('HGET', 'scrub', 'copied') or 0)}
