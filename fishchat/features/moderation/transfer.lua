-- Make another member the owner of a topic; the former owner becomes an admin. Store a notice of it.
-- args: server, incarnation, epoch, stream, account, device ('*' for the operator), topic, heir
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice); OK alone if it was so before
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>
-- writes: topic:<conversation> admins:<conversation> log:<conversation> meta:<conversation> quiet:<conversation>
--   count:<stream> /sysctrl/send
--- @include "fence"
--- @include "enabled"
--- @include "deleted"
--- @include "governing"
--- @include "sanctions"

local server, incarnation, epoch, stream, account, device, topic, heir = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not enabled('moderation') then return {'TRYAGAIN'} end
local conversation = '#' .. topic
refused = refused_to(account, device, conversation, 'transfer')
if refused then return refused end
local owner = call('HGET', 'topic:' .. conversation, 'owner')
if heir == owner then return {'OK'} end
-- An owner who cannot write could not run the topic.
if sanction_of('banned:' .. conversation, heir) then return {'RIGHTS', 'needs=unbanned'} end
if not role_of(heir, conversation) or is_deleted(heir) then return {'NOTMEMBER'} end
if sanction_of('muted:' .. conversation, heir) then return {'RIGHTS', 'needs=unmuted'} end
call('HSET', 'topic:' .. conversation, 'owner', heir)
call('HDEL', 'admins:' .. conversation, heir)
if call('HEXISTS', 'members:' .. conversation, owner) == 1 then
  call('HSET', 'admins:' .. conversation, owner, timestamp())
end
local notice = notice_of(account, device, phrase('OWNER', heir))
return append(server, incarnation, epoch, stream, conversation, notice, true)
