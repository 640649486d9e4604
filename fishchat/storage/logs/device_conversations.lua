-- Read what a login reads, for a device that is logged in.
-- args: account, device
-- reply: its session or '', packed conversations (flat: conversation, last position, cursor or '', spans, membership
--   version)
--- @include "talks"

local account, device = unpack(args)
return {call('HGET', 'session:' .. account, device) or '', talks_of(account, device)}
