-- Add a batch of messages to the router's stream; fishchat/model/routing.py describes the layout of the two arrays.
local function leave_batch(server, incarnation, epoch, stream, messages, routes, time)
  local count = call('INCR', 'count:' .. stream)
  local batch = {server, incarnation, epoch, stream, {}, messages}
  call('XADD', stream, 'MAXLEN', '~', 100000, epoch .. '-' .. count,
    'b', cmsgpack.pack(batch), 'r', cmsgpack.pack(routes), 't', time)
end

-- Add one message.
local function leave_for_router(server, incarnation, epoch, stream, places, conversation, n, version, body, time)
  if not places then return end
  leave_batch(server, incarnation, epoch, stream, {conversation, '', -1, body, '', ''}, {0, n, version, places}, time)
end
