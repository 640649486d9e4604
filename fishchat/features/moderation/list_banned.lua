-- List some accounts that are banned from a topic.
-- args: account, device ('*' for the operator), topic, cursor ('0' to begin), count
-- reply: OK, cursor for more ('0' at the end), packed (flat: account, until in ms or 0, by, reason; in no order, perhaps
--   repeated)
-- refuses: NOTFOUND, NOTMEMBER, RIGHTS <needs>
--- @include "sanctions"
--- @include "rights"

local account, device, topic, cursor, count = unpack(args)
local conversation = '#' .. topic
local refused
if device ~= '*' then
  refused = forbids(account, conversation, 'ban')
elseif call('EXISTS', 'topic:' .. conversation) == 0 then
  refused = {'NOTFOUND'}
end
if refused then return refused end
local found, now = call('HSCAN', 'banned:' .. conversation, cursor, 'COUNT', count), milliseconds()
local out = {}
for i = 1, #found[2], 2 do
  if not is_lapsed(found[2][i + 1], now) then
    local till, by, reason = string.match(found[2][i + 1], '^(%d+) (%S+) ?(.*)$')
    local o = #out
    out[o + 1], out[o + 2], out[o + 3], out[o + 4] = found[2][i], tonumber(till), by, reason
  end
end
return {'OK', found[1], cmsgpack.pack(out)}
