-- Whether an account is online, and when it last was, for one that may write to it.
-- args: who asks, account. Gives {1 or 0, milliseconds, display name or ''} or the word of a refusal.
local asker, account = unpack(args)
local word = asker ~= account and refuses(asker, account)
if word then return word end
local found = call('HMGET', 'account:' .. account, 'created', 'name')
if not found[1] then return 'NOTFOUND' end
local last = 0
for _, seen in ipairs(call('HVALS', 'seen:' .. account)) do last = math.max(last, tonumber(seen)) end
return {call('EXISTS', 'at:' .. account), last, found[2] or ''}
