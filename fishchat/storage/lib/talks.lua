--- @include "maps"

-- Return the conversations of a device, packed: a flat array of conversation, last position, cursor or '', spans,
-- membership version.
local function talks_of(account, device)
  local cursors = pairs_of(call('HGETALL', 'cursor:' .. account .. '/' .. device))
  local talks = call('HGETALL', 'talks:' .. account)
  local out = {}
  for i = 1, #talks, 2 do
    local conversation = talks[i]
    local meta = call('HMGET', 'meta:' .. conversation, 'e', 'n', 'v')
    local o = #out
    out[o + 1] = conversation
    out[o + 2] = (meta[1] or '0') .. '-' .. (meta[2] or '0')
    out[o + 3] = cursors[conversation] or ''
    out[o + 4] = talks[i + 1]
    out[o + 5] = tonumber(meta[3] or 0)
  end
  return cmsgpack.pack(out)
end
