-- Show that an account is typing to those who watch the conversation, if it may write there; otherwise do nothing.
-- args: server, incarnation, epoch, stream, account, conversation, peer ('' for a topic), members (at most)
-- reply: OK, 1 if it is shown, 0 if not
-- refuses: LEASE, EPOCH <epoch>
-- writes: count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "reach"
--- @include "elsewhere"
--- @include "other_servers"
--- @include "signal"

local server, incarnation, epoch, stream, account, conversation, peer, members = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local places
if peer == '' then
  if call('HLEN', 'members:' .. conversation) > members or forbids(account, conversation, 'write') then
    return {'OK', 0}
  end
  places = other_servers(server)
else
  if refuses(account, peer) then return {'OK', 0} end
  places = elsewhere(call('GET', 'at:' .. peer), server)
end
signal(server, incarnation, epoch, stream, places, conversation, 'RESP_TYPING ' .. account .. ' ' .. conversation)
return {'OK', 1}
