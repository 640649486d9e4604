-- Whether an account is online, and when it last was. args: account. Gives {1 or 0, milliseconds} or 'NOTFOUND'.
local account = args[1]
if call('EXISTS', 'account:' .. account) == 0 then return 'NOTFOUND' end
local last = 0
for _, seen in ipairs(call('HVALS', 'seen:' .. account)) do last = math.max(last, tonumber(seen)) end
return {call('EXISTS', 'at:' .. account), last}
