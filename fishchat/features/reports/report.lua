-- Report a message: copy it for the operators.
-- args: account, conversation, position, reason, daily (reports of an account in a day, at most)
-- reply: OK, 1 if it was reported, 0 if the account had reported it before
-- refuses: NOTFOUND, FULL <limit>
-- writes: reports reported:<account>
--- @include "clock"
--- @include "deleted"
--- @include "entry"
--- @include "sight"

local account, conversation, at, reason, daily = unpack(args)
local DAY, DAYS = 86400000, 90
local spans = sight_of(account, conversation)
if is_deleted(account) or not spans or not sees(spans, at) then return {'NOTFOUND'} end
local id, reported, now = conversation .. ':' .. at, 'reported:' .. account, milliseconds()
-- This is before the entry is read, so that a repeated report succeeds when the message was recalled meanwhile.
if call('HEXISTS', reported, id) == 1 then return {'OK', 0} end
local entry = entry_of(conversation, at, spans)
if not entry then return {'NOTFOUND'} end

-- Message → 'ms report'. Reports of a time that is still to come are from a clock that was wrong.
local today, all = 0, call('HGETALL', reported)
for i = 1, #all, 2 do
  local since = now - tonumber(string.match(all[i + 1], '^%d+'))
  if since >= 0 and since < DAY then
    today = today + 1
  elseif since < 0 or since >= DAYS * DAY then
    call('HDEL', reported, all[i])
  end
end
if today >= daily then return {'FULL', daily} end

local time, body = entry[2][2], entry[2][4]
local sender, device, form, text = string.match(body, '^(%S+) (%S+) %S+ (%S+) (.*)$')
local report = call('XADD', 'reports', '*', 'by', account, 'message', id, 'from', sender, 'device', device, 'time', time,
  'form', form, 'text', text, 'reason', reason)
call('HSET', reported, id, string.format('%d', now) .. ' ' .. report)
call('PEXPIRE', reported, DAYS * DAY)
return {'OK', 1}
