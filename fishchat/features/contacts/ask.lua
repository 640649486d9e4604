-- Ask an account to become a contact, and notify it. The reply is the same for every name, whether it is an account or not.
-- args: server, incarnation, epoch, stream, account, other, text, most (relations), waiting (requests at an account at
--   most), asked (names that an account has asked, at most), body (of the notice), accepted (body of the notice if the other
--   account has asked before)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice); OK alone without a notice
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, BLOCKED, FULL <limit>
-- writes: contact_asks:<account> contact_asked:<account> relations:<account> talks:<account> log:<conversation>
--   meta:<conversation> quiet:<conversation> count:<stream> /sysctrl/send unscrubbed erasures
--- @include "fence"
--- @include "deleted"
--- @include "befriend"
--- @include "erased"
--- @include "spans"
--- @include "append"

-- Everything that is refused depends on the asking account alone: NOTFOUND if it was deleted, BLOCKED if it has blocked the
-- other one, FULL if it has too many relations or has asked too many.

local server, incarnation, epoch, stream, account, other, text, most, waiting, asked, body, accepted = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if is_deleted(account) then return {'NOTFOUND'} end
if account == other then return {'OK'} end

local DAY, KEPT = 86400000, 7776000000
-- Old requests that make room in one call.
local FORGOTTEN = 50
local now = milliseconds()

local function notify(whom, notice)
  open_span(whom, '@' .. whom, '0-0')
  return append(server, incarnation, epoch, stream, '@' .. whom, notice, true)
end

-- The other account has asked before: this is its answer.
if call('HEXISTS', 'contact_asked:' .. account, other) == 1 and not is_deleted(other) then
  if not befriend(account, other, most) then return {'FULL', most} end
  return notify(other, accepted)
end

local relation = call('HGET', 'relations:' .. account, other)
if is_blocked(relation) then return {'BLOCKED'} end
if not relation and call('HLEN', 'relations:' .. account) >= most then return {'FULL', most} end

-- Name → 'ms position', when the account asked it, and the position of the notice with the text.
local asks = 'contact_asks:' .. account

local function forget(name, ask)
  local at = string.match(ask, ' (%d+%-%d+)$')
  if at and call('XDEL', 'log:' .. '@' .. name, at) == 1 then note_erased('@' .. name, at) end
  call('HDEL', asks, name)
end

local before = call('HGET', asks, other)
if before then
  local since = now - tonumber(string.match(before, '^%d+'))
  -- A time that is still to come is from a clock that was wrong.
  if since >= 0 and since < DAY then return {'OK'} end
  forget(other, before)
elseif call('HLEN', asks) >= asked then
  local all, left = call('HGETALL', asks), FORGOTTEN
  for i = 1, #all, 2 do
    local since = now - tonumber(string.match(all[i + 1], '^%d+'))
    if left > 0 and (since < 0 or since >= KEPT) then
      forget(all[i], all[i + 1])
      left = left - 1
    end
  end
  if call('HLEN', asks) >= asked then return {'FULL', asked} end
end

local requests = 'contact_asked:' .. other
local theirs = call('HGET', 'relations:' .. other, account)
local reaches = call('HEXISTS', 'account:' .. other, 'created') == 1 and not is_blocked(theirs)
  and not (is_contact(relation) and is_contact(theirs))
  and (call('HEXISTS', requests, account) == 1 or call('HLEN', requests) < waiting)
if not reaches then
  call('HSET', asks, other, string.format('%d', now))
  return {'OK'}
end
call('HSET', requests, account, string.format('%d', now) .. ' ' .. text)
local notice = notify(other, body)
call('HSET', asks, other, string.format('%d', now) .. ' ' .. notice[3] .. '-' .. notice[4])
return notice
