-- Make an account a member of a topic by a link, if it is not one already, or store its request to become one.
-- args: server, incarnation, epoch, stream, account, device, fingerprint (of the code), text (of a request), members (at
--   most), topics (per account, at most), notified (members that are notified of a new one, at most), requests (of a topic,
--   at most)
-- reply: OK, membership version (0 if it is only a request now), position after which the member is pushed messages,
--   notices (each as the reply of logs/append), topic
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, BANNED, FULL <limit>
-- writes: link:<fingerprint> links:<conversation> members:<conversation> invited:<conversation> topics:<account>
--   talks:<account> meta:<conversation> asked:<conversation> asking:<account> told:<account> cursor:<account>
--   cursor:<account>/<device> log:<conversation> quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "admit"
--- @include "links"

local server, incarnation, epoch, stream, account, device, fingerprint, text, most_members, most_topics, most_notified,
  most_requests = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local topic, _, _, left, approval = link_of(fingerprint)
if not topic then return {'NOTFOUND'} end
local conversation = '#' .. topic
refused = barred(account, conversation)
if refused then return refused end

local place = {server, incarnation, epoch, stream}
local reply, is_used = is_in(account, conversation), false
if not reply and approval == '1' then
  reply, is_used = ask_to_join(place, topic, account, device, text, most_topics, most_requests)
elseif not reply then
  reply, is_used = admit(place, topic, account, account, device, most_members, most_topics, most_notified), true
end
if reply[1] ~= 'OK' then return reply end
if is_used then use_link(conversation, fingerprint, left) end
reply[5] = topic
return reply
