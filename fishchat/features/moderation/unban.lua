-- End a ban, and store a notice of it. The account may come in again; it does not become a member by this.
-- args: server, incarnation, epoch, stream, account, device ('*' for the operator), topic, other
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice)
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>, OWNER
-- writes: banned:<conversation> log:<conversation> meta:<conversation> quiet:<conversation> count:<stream> /sysctrl/send
--- @include "fence"
--- @include "enabled"
--- @include "governing"
--- @include "sanctions"

local server, incarnation, epoch, stream, account, device, topic, other = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not enabled('moderation') then return {'TRYAGAIN'} end
local conversation = '#' .. topic
refused = refused_on(account, device, conversation, 'ban', other)
if refused then return refused end
if not end_sanction('banned:' .. conversation, other) then return {'NOTFOUND'} end
local notice = notice_of(account, device, phrase('UNBANNED', other))
return append(server, incarnation, epoch, stream, conversation, notice, true)
