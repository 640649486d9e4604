-- End the membership of another account. The notice of it is the last message that this account may read.
-- args: server, incarnation, epoch, stream, account, device ('*' for the operator), topic, other, reason ('' for none)
-- reply: OK, membership version, conversation, epoch, number, body, membership version before, time (of the notice)
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>, MUTED <until>, OWNER
-- writes: members:<conversation> admins:<conversation> topics:<account> talks:<account> log:<conversation>
--   meta:<conversation> quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "enabled"
--- @include "governing"
--- @include "expel"
--- @include "membership_news"

local server, incarnation, epoch, stream, account, device, topic, other, reason = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not enabled('moderation') then return {'TRYAGAIN'} end
local conversation = '#' .. topic
refused = refused_on(account, device, conversation, 'kick', other)
  or refused_reason(account, device, conversation, reason)
if refused then return refused end
if not role_of(other, conversation) then return {'NOTMEMBER'} end
local notice = notice_of(account, device, phrase('KICKED', other, reason))
local told = append(server, incarnation, epoch, stream, conversation, notice, true)
table.insert(told, 2, expel(other, conversation))
if device == '*' then publish_membership(topic, other) end
return told
