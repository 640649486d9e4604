-- Let a member of a topic read, but not write, for some time. Store a notice of it. A mute outlives the membership.
-- args: server, incarnation, epoch, stream, account, device ('*' for the operator), topic, other, seconds, reason ('' for
--   none), most (mutes of a topic)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice)
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>, MUTED <until>, OWNER, FULL <limit>
-- writes: muted:<conversation> log:<conversation> meta:<conversation> quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "enabled"
--- @include "governing"
--- @include "sanctions"

local server, incarnation, epoch, stream, account, device, topic, other, seconds, reason, most = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not enabled('moderation') then return {'TRYAGAIN'} end
local conversation = '#' .. topic
refused = refused_on(account, device, conversation, 'mute', other)
  or refused_reason(account, device, conversation, reason)
if refused then return refused end
if not role_of(other, conversation) then return {'NOTMEMBER'} end
local till = milliseconds() + 1000 * seconds
refused = add_sanction('muted:' .. conversation, other, till, account, reason, most)
if refused then return refused end
set_restrictions(conversation)
local notice = notice_of(account, device, phrase('MUTED', other, string.format('%.0f', till), reason))
return append(server, incarnation, epoch, stream, conversation, notice, true)
