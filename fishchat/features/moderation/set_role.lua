-- Make a member an admin of a topic, or an admin a member again, and store a notice of it.
-- args: server, incarnation, epoch, stream, account, device ('*' for the operator), topic, other, role (admin or member),
--   most (admins of a topic)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice); OK alone if it was so before
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>, OWNER, FULL <limit>
-- writes: admins:<conversation> log:<conversation> meta:<conversation> quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "enabled"
--- @include "governing"

local server, incarnation, epoch, stream, account, device, topic, other, role, most = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not enabled('moderation') then return {'TRYAGAIN'} end
local conversation = '#' .. topic
-- An admin may step down by itself; only the owner changes the roles of others.
local steps_down = other == account and role == 'member' and device ~= '*' and role_of(account, conversation) ~= 'owner'
if steps_down then
  refused = forbids(account, conversation, 'list')
else
  refused = refused_on(account, device, conversation, 'appoint', other)
end
if refused then return refused end
local now = role_of(other, conversation)
if not now then return {'NOTMEMBER'} end
if now == role then return {'OK'} end
local admins = 'admins:' .. conversation
if role == 'member' then
  call('HDEL', 'admins:' .. conversation, other)
elseif call('HLEN', admins) >= most then
  return {'FULL', most}
else
  call('HSET', 'admins:' .. conversation, other, timestamp())
end
local notice = notice_of(account, device, phrase('ROLE', other, role))
return append(server, incarnation, epoch, stream, conversation, notice, true)
