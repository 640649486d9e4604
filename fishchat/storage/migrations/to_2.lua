-- Move conversations from format 1 to 2: record the last number that retention removed.
-- args: conversations
-- reply: conversations that were changed
-- writes: meta:<conversation>
--- @include "positions"
--- @include "vital"

-- Format 1 did not distinguish numbers removed by retention from erased ones. In such a log, numbers missing before the
-- first entry count as removed by retention, and those missing after it as erased. Repeating this changes nothing.
-- In a store that another process has migrated meanwhile, roles may have stored new conversations, which must stay as they are.

if (call('GET', 'format') or '1') ~= '1' then return 0 end
begin_vital()
local changed = 0
for _, conversation in ipairs(args[1]) do
  local meta = call('HMGET', 'meta:' .. conversation, 'n', 't')
  if meta[1] and not meta[2] then
    local first = call('XRANGE', 'log:' .. conversation, '-', '+', 'COUNT', 1)[1]
    local number = first and select(2, position(first[1])) - 1 or tonumber(meta[1])
    if number > 0 then
      call('HSET', 'meta:' .. conversation, 't', number)
      changed = changed + 1
    end
  end
end
return changed
