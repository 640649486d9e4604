-- Ban an account from a topic: end its membership, its invitation and its request, and let it in by no way.
-- args: server, incarnation, epoch, stream, account, device ('*' for the operator), topic, other, seconds (0 for ever),
--   reason ('' for none), most (bans of a topic)
-- reply: OK, membership version (0 if it was no member), conversation, epoch, number, body, membership version before,
--   time (of the notice)
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>, MUTED <until>, OWNER, FULL <limit>
-- writes: banned:<conversation> invited:<conversation> asked:<conversation> asking:<account> members:<conversation>
--   admins:<conversation> topics:<account> talks:<account> log:<conversation> meta:<conversation> quiet:<conversation> count:<stream>
--   /sysctrl/send
--- @include "fence"
--- @include "enabled"
--- @include "governing"
--- @include "sanctions"
--- @include "expel"
--- @include "membership_news"

-- The account need not be a member, nor exist: the answer must not tell whether it does.

local server, incarnation, epoch, stream, account, device, topic, other, seconds, reason, most = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not enabled('moderation') then return {'TRYAGAIN'} end
local conversation = '#' .. topic
refused = refused_on(account, device, conversation, 'ban', other)
  or refused_reason(account, device, conversation, reason)
if refused then return refused end
local till = seconds > 0 and milliseconds() + 1000 * seconds or 0
refused = add_sanction('banned:' .. conversation, other, till, account, reason, most)
if refused then return refused end
call('SREM', 'invited:' .. conversation, other)
call('HDEL', 'asked:' .. conversation, other)
call('SREM', 'asking:' .. other, topic)
local notice = notice_of(account, device, phrase('BANNED', other, string.format('%.0f', seconds), reason))
local told = append(server, incarnation, epoch, stream, conversation, notice, true)
local version = role_of(other, conversation) and expel(other, conversation) or 0
if device == '*' and version > 0 then publish_membership(topic, other) end
table.insert(told, 2, version)
return told
