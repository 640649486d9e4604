-- Return whether an account is online and when it was last seen, for an account that may write to it.
-- args: asker, account
-- reply: 1 or 0, last seen in ms, display name or ''
-- refuses: NOTFOUND, BLOCKED
--- @include "reach"

local asker, account = unpack(args)
local word = asker ~= account and refuses(asker, account)
if word then return word end
local found = call('HMGET', 'account:' .. account, 'created', 'name')
if not found[1] then return 'NOTFOUND' end
local last = 0
for _, seen in ipairs(call('HVALS', 'seen:' .. account)) do last = math.max(last, tonumber(seen)) end
return {call('EXISTS', 'at:' .. account), last, found[2] or ''}
