-- Release a shard.
-- args: stream, token
-- reply: OK
-- writes: router:<stream>

local stream, token = unpack(args)
if call('GET', 'router:' .. stream) == token then call('DEL', 'router:' .. stream) end
return 'OK'
