-- Make an account a member of the topic that it has asked to join, and notify it.
-- args: server, incarnation, epoch, stream, account, device, topic, guest, members (at most), topics (per account, at
--   most), notified (members that are notified of a new one, at most), body (of the notice)
-- reply: OK, membership version, position after which the member is pushed messages, notices (each as the reply of
--   logs/append)
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, NOTMEMBER, RIGHTS <needs>, EXISTS, BANNED, FULL <limit>
-- writes: members:<conversation> invited:<conversation> topics:<account> talks:<account> meta:<conversation>
--   asked:<conversation> asking:<account> cursor:<account> cursor:<account>/<device> log:<conversation>
--   quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "admit"

local server, incarnation, epoch, stream, account, device, topic, guest, most_members, most_topics, most_notified,
  body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'admit')
if refused then return refused end
if call('HEXISTS', 'members:' .. conversation, guest) == 1 then return {'EXISTS'} end
if call('HEXISTS', 'asked:' .. conversation, guest) == 0 then return {'NOTFOUND'} end
refused = barred(guest, conversation)
if refused then return refused end
local place = {server, incarnation, epoch, stream}
local reply = admit(place, topic, guest, account, device, most_members, most_topics, most_notified)
if reply[1] ~= 'OK' then return reply end
local notices = '@' .. guest
open_span(guest, notices, '0-0')
reply[4][#reply[4] + 1] = append(server, incarnation, epoch, stream, notices, body)
return reply
