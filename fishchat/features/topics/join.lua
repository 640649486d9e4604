-- Make an account a member of a topic, if it is not one already, or store its request to become one.
-- args: server, incarnation, epoch, stream, account, device, topic, text (of a request), members (at most), topics (per
--   account, at most), notified (members that are notified of a new one, at most), requests (of a topic, at most)
-- reply: OK, membership version (0 if it is only a request now), position after which the member is pushed messages,
--   notices (each as the reply of logs/append)
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, BANNED, INVITEONLY, FULL <limit>
-- writes: members:<conversation> invited:<conversation> topics:<account> talks:<account> meta:<conversation>
--   asked:<conversation> asking:<account> told:<account> cursor:<account> cursor:<account>/<device> log:<conversation>
--   quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "admit"

local server, incarnation, epoch, stream, account, device, topic, text, most_members, most_topics, most_notified,
  most_requests = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
local kind = call('HGET', 'topic:' .. conversation, 'kind')
if not kind then return {'NOTFOUND'} end
refused = barred(account, conversation)
if refused then return refused end
local member = is_in(account, conversation)
if member then return member end
local place = {server, incarnation, epoch, stream}
if kind == 'open' or call('SISMEMBER', 'invited:' .. conversation, account) == 1 then
  return admit(place, topic, account, account, device, most_members, most_topics, most_notified)
end
if kind ~= 'approval' then return {'INVITEONLY'} end
return (ask_to_join(place, topic, account, device, text, most_topics, most_requests))
