-- Add one message to the router's stream, as send.lua adds a batch; fishchat/model/routing.py describes the layout.
local function leave_for_router(server, incarnation, epoch, stream, places, conversation, n, version, body, time)
  if not places then return end
  local count = call('INCR', 'count:' .. stream)
  local batch = {server, incarnation, epoch, stream, {}, {conversation, '', -1, body, '', ''}}
  call('XADD', stream, 'MAXLEN', '~', 100000, epoch .. '-' .. count,
    'b', cmsgpack.pack(batch), 'r', cmsgpack.pack({0, n, version, places}), 't', time)
end
