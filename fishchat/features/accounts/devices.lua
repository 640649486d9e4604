-- List the devices of an account.
-- args: account, ms that tokens live
-- reply: packed (flat: device, 1 if online, last seen in ms or 0, end of its token in ms or 0)
--- @include "maps"
--- @include "clock"
--- @include "tokens"

local account, lives = unpack(args)
local seen, now = pairs_of(call('HGETALL', 'seen:' .. account)), milliseconds()
for _, device in ipairs(call('HKEYS', 'tokens:' .. account)) do seen[device] = seen[device] or 0 end
local out = {}
for device, last in pairs(seen) do
  local _, _, used = token_of(account, device)
  local ends = used and used + lives > now and used + lives or 0
  local o = #out
  out[o + 1], out[o + 2] = device, call('HEXISTS', 'session:' .. account, device)
  out[o + 3], out[o + 4] = tonumber(last), ends
end
return cmsgpack.pack(out)
