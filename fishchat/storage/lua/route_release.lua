-- A router gives a shard back. args: stream, token.
local stream, token = unpack(args)
if call('GET', 'router:' .. stream) == token then call('DEL', 'router:' .. stream) end
return 'OK'
