-- Find the device of a token, and keep that token alive.
-- args: account, fingerprint, ms that tokens live
-- reply: device, or '' if there is none
-- writes: tokens:<account>
--- @include "vital"
--- @include "clock"
--- @include "tokens"

local account, fingerprint, lives = unpack(args)
local found = call('HMGET', 'account:' .. account, 'created', 'disabled')
if not found[1] or found[2] then return '' end
local now = milliseconds()
for _, device in ipairs(call('HKEYS', 'tokens:' .. account)) do
  local known, made, used = token_of(account, device)
  if known == fingerprint and used + lives > now then
    -- Once a day is enough to record the use: a client that checks every second would write every second.
    if used + math.min(86400000, lives / 2) < now then
      begin_vital()
      set_token(account, device, known, made, now)
    end
    return device
  end
end
return ''
