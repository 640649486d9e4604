-- End a membership, or withdraw a request to become a member.
-- args: server, incarnation, epoch, account, topic, stream, body (of a notice for those who remain), most (members of a
--   topic that has such notices)
-- reply: OK, membership version; conversation, epoch, number, body, membership version, time (of the notice, if there is
--   one)
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, NOTMEMBER, OWNER
-- writes: members:<conversation> admins:<conversation> asked:<conversation> asking:<account> topics:<account> talks:<account>
--   meta:<conversation> log:<conversation> quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "rights"
--- @include "expel"
--- @include "append"

local server, incarnation, epoch, account, topic, stream, body, most = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
call('SREM', 'asking:' .. account, topic)
if call('HDEL', 'asked:' .. conversation, account) == 1 and not role_of(account, conversation) then
  return {'OK', tonumber(call('HGET', 'meta:' .. conversation, 'v') or 0)}
end
refused = forbids(account, conversation, 'leave')
if refused then return refused end
local version = expel(account, conversation)
if call('HLEN', 'members:' .. conversation) > most then return {'OK', version} end
local notice = append(server, incarnation, epoch, stream, conversation, body, true)
table.insert(notice, 2, version)
return notice
