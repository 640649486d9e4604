-- Log a device in.
-- args: server, incarnation, epoch, account, device, connection, devices (at most), create (whether to create a
--   missing account; 'contacts': only its contacts may write to it first), forget (ms after which an absent
--   device may give its place to a new one), proof ('open' | 'token', fingerprint, ms that tokens live, address,
--   guesses of the address, ms for one more | 'secret', version, fingerprint of the new token, address, ms for one
--   more guess of the address)
-- reply: OK, session that this one replaces or '', packed conversations (flat: conversation, last position, cursor or
--   '', spans, membership version)
-- refuses: LEASE, EPOCH <epoch>, AUTH, FLOOD <ms>, DISABLED, NOTFOUND, BADNAME, DEVICES
-- writes: account:<account> seen:<account> tokens:<account> cursor:<account>/<device> guesses:<name>
--   session:<account> on:<server>:<incarnation> at:<account>
--- @include "fence"
--- @include "incarnation"
--- @include "vital"
--- @include "clock"
--- @include "places"
--- @include "budgets"
--- @include "tokens"
--- @include "talks"
--- @include "is_server"

-- The session is written before the conversations are read, so a message is either read here or sent to the server later.

local server, incarnation, epoch, account, device, connection, devices, create, forget, proof =
  unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end

-- A new device takes the place of the device that was absent longest, if that was last seen before `unseen`.
local function make_room(account, unseen)
  local oldest, away = unseen, nil
  local seen = call('HGETALL', 'seen:' .. account)
  for i = 1, #seen, 2 do
    if tonumber(seen[i + 1]) < oldest and call('HEXISTS', 'session:' .. account, seen[i]) == 0 then
      oldest, away = tonumber(seen[i + 1]), seen[i]
    end
  end
  if not away then return false end
  call('HDEL', 'seen:' .. account, away)
  call('HDEL', 'tokens:' .. account, away)
  call('DEL', 'cursor:' .. account .. '/' .. away)
  return true
end

local now = milliseconds()
local found = call('HMGET', 'account:' .. account, 'created', 'deleted', 'disabled', 'version')
local way, value = unpack(proof)
local made
if way == 'token' then
  local fingerprint, since, used = token_of(account, device)
  if fingerprint ~= value or used + proof[3] <= now then
    local counted = proof[4] ~= '' and proof[5] > 0
    local wait = counted and take({{'guesses:@' .. proof[4], proof[5], proof[6]}}) or 0
    return wait > 0 and {'FLOOD', wait} or {'AUTH'}
  end
  made = since
elseif way ~= 'open' and (way ~= 'secret' or found[4] ~= value) then
  return {'AUTH'}
end
if found[2] then return {'AUTH'} end
if found[3] then return {'DISABLED'} end
if not found[1] then
  if not create then return {'NOTFOUND'} end
  if is_server(account) then return {'BADNAME'} end
  call('HSET', 'account:' .. account, 'created', now)
  if create == 'contacts' then call('HSET', 'account:' .. account, 'privacy', create) end
end
local me = account .. '/' .. device
if call('HEXISTS', 'seen:' .. account, device) == 0 then
  if call('HLEN', 'seen:' .. account) >= devices and not make_room(account, now - (forget or now)) then
    return {'DEVICES'}
  end
  -- A new device starts at the furthest cursor of the account's devices; the first one at the beginning.
  local furthest = call('HGETALL', 'cursor:' .. account)
  for i = 1, #furthest, 2 do call('HSET', 'cursor:' .. me, furthest[i], furthest[i + 1]) end
else
  begin_vital()
end
call('HSET', 'seen:' .. account, device, now)
if way == 'token' then
  set_token(account, device, value, made, now)
elseif way == 'secret' then
  set_token(account, device, proof[3], now, now)
  call('DEL', 'guesses:' .. account)
  if proof[4] ~= '' then refund('guesses:@' .. proof[4], proof[5]) end
end

incarnation = incarnation_of(incarnation)
local session = server .. ' ' .. incarnation .. ' ' .. connection
local old = call('HGET', 'session:' .. account, device)
if old then
  local old_server, old_incarnation = string.match(old, '^(%S+) (%S+) ')
  call('SREM', 'on:' .. old_server .. ':' .. old_incarnation, me)
  if old_server ~= server then
    call('PUBLISH', '/sysctrl/client-status', cjson.encode({server = server, replaced = {[me] = old}}))
  end
end
call('HSET', 'session:' .. account, device, session)
call('SADD', 'on:' .. server .. ':' .. incarnation, me)
locate(account)

return {'OK', old or '', talks_of(account, device)}
