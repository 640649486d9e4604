-- Stands in front of every script. ARGV[1] is one MessagePack array: one packed argument costs less than many.
-- Keys are built here and in the scripts; doc/store.md lists them all.
local call = redis.call
local args = cmsgpack.unpack(ARGV[1])

-- Whoever lost its lease or its epoch writes nothing. Gives the refusal, or nothing. A lease is 'incarnation.n', n the
-- number of the connection that writes: what an earlier connection left in Redis' buffers must not be done late.
local function fence(server, incarnation, epoch)
  local found = call('MGET', 'lease:' .. server, 'epoch')
  if found[1] ~= incarnation then return {'LEASE'} end
  if found[2] ~= epoch then return {'EPOCH', found[2] or '0'} end
end

local function bare(incarnation)
  return string.match(incarnation, '^[^.]+')
end

-- In front of writes that replace what is there or hardly let it grow: leases, cursors, logins of known devices, rights
-- that are taken back. A full memory must not end them. Redis asks about memory before a script's first write only, and never for a removal.
local function begin_vital()
  call('DEL', '')
end

-- Milliseconds since 1970, as text and as a number.
local function timestamp()
  local time = call('TIME')
  return time[1] .. string.format('%03d', math.floor(time[2] / 1000))
end

local function milliseconds()
  return tonumber(timestamp())
end

-- A position is 'epoch-seq'.
local function position(text)
  local epoch, seq = string.match(text, '^(%d+)-(%d+)$')
  return tonumber(epoch), tonumber(seq)
end

local function above(one, other)
  local e1, s1 = position(one)
  local e2, s2 = position(other)
  return e1 > e2 or (e1 == e2 and s1 > s2)
end

-- The last position of a conversation, '0-0' when it has none.
local function last_of(conversation)
  local found = call('HMGET', 'meta:' .. conversation, 'e', 'n')
  return (found[1] or '0') .. '-' .. (found[2] or '0')
end

-- An account's sight of a conversation: spans 'after:upto', joined by commas; the last one is open while it may read on.
-- At most SPANS are kept: who leaves and joins more often loses sight of the oldest.
local SPANS = 32

local function open_span(account, conversation, after)
  local spans = call('HGET', 'talks:' .. account, conversation)
  if not spans then
    spans = after .. ':'
  elseif string.sub(spans, -1) == ':' then
    return
  elseif string.sub(spans, -#after - 1) == ':' .. after then  -- nothing was said in between
    spans = string.sub(spans, 1, -#after - 1)
  else
    spans = spans .. ',' .. after .. ':'
    local _, commas = string.gsub(spans, ',', ',')
    if commas >= SPANS then spans = string.match(spans, ',(.*)$') end
  end
  call('HSET', 'talks:' .. account, conversation, spans)
end

local function close_span(account, conversation, upto)
  local spans = call('HGET', 'talks:' .. account, conversation)
  if spans and string.sub(spans, -1) == ':' then
    call('HSET', 'talks:' .. account, conversation, spans .. upto)
  end
end

-- Where an account's devices are, as one string 'server/device server/device': what send.lua reads for every message.
local function locate(account)
  local places = {}
  local sessions = call('HGETALL', 'session:' .. account)
  for i = 1, #sessions, 2 do
    places[#places + 1] = string.match(sessions[i + 1], '^%S+') .. '/' .. sessions[i]
  end
  if #places == 0 then
    call('DEL', 'at:' .. account)
  else
    call('SET', 'at:' .. account, table.concat(places, ' '))
  end
end

-- The places of an account when one of them is on another server, else false.
local function elsewhere(at, server)
  if not at then return false end
  local mine = server .. '/'
  for place in string.gmatch(at, '%S+') do
    if string.sub(place, 1, #mine) ~= mine then return at end
  end
  return false
end

-- What a deleted account had asked for before its server heard of it must not bring its name back.
local function is_deleted(account)
  return call('HEXISTS', 'account:' .. account, 'deleted') == 1
end

-- Who of two accounts does not want to hear from the other is named in 'b' of their conversation's counters. Gives the
-- word for one of them, or nothing. Whoever is shut out cannot tell that from an account that is not there.
local function shut(names, account)
  if not names then return end
  return string.find(' ' .. names .. ' ', ' ' .. account .. ' ', 1, true) and 'BLOCKED' or 'NOTFOUND'
end

-- Names an account there, or no longer.
local function set_shut(conversation, account, wanted)
  local meta, names = 'meta:' .. conversation, {}
  for name in string.gmatch(call('HGET', meta, 'b') or '', '%S+') do
    if name ~= account then names[#names + 1] = name end
  end
  if wanted then names[#names + 1] = account end
  if #names == 0 then
    call('HDEL', meta, 'b')
  else
    call('HSET', meta, 'b', table.concat(names, ' '))
  end
end

-- Why an account may not begin to talk to another one, or nothing.
local function unreachable(account, peer)
  if call('HGET', 'relations:' .. account, peer) == 'b' then return 'BLOCKED' end
  local found = call('HMGET', 'account:' .. peer, 'created', 'privacy')
  if not found[1] then return 'NOTFOUND' end
  local relation = call('HGET', 'relations:' .. peer, account)
  if relation == 'b' or (found[2] == 'contacts' and relation ~= 'c' and account ~= peer) then return 'NOTFOUND' end
end

-- Whether a name stands before another one. Lua's own '<' asks the locale of Redis, where 'aa' may stand before 'a.b'.
local function precedes(one, other)
  for i = 1, #other do
    local mine, its = string.byte(one, i) or 0, string.byte(other, i)
    if mine ~= its then return mine < its end
  end
  return false
end

local function p2p(one, other)
  return precedes(other, one) and other .. '+' .. one or one .. '+' .. other
end

-- The same for two who may have talked: then what holds between them decides, not who may begin.
local function refuses(account, peer)
  local found = call('HMGET', 'meta:' .. p2p(account, peer), 'n', 'b')
  if not found[1] then return unreachable(account, peer) end
  local word = shut(found[2], account)
  if word then return word end
  if call('HEXISTS', 'account:' .. peer, 'created') == 0 then return 'NOTFOUND' end
end

local function pairs_of(flat)
  local map = {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return map
end

-- All that one device reads, packed: a flat array of conversation, last position, cursor or '', spans, membership version.
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

-- Something for the router to carry to other servers: as send.lua leaves it, for one message.
local function tell_router(server, incarnation, epoch, stream, targets, conversation, n, version, body)
  if not targets then return end
  local count = call('INCR', 'count:' .. stream)
  local batch = {server, incarnation, epoch, stream, {}, {conversation, '', -1, body, '', ''}}
  call('XADD', stream, 'MAXLEN', '~', 100000, epoch .. '-' .. count,
    'b', cmsgpack.pack(batch), 'r', cmsgpack.pack({0, n, version, targets}))
end

-- A message that the servers themselves put into a conversation. Gives its number.
local function append(conversation, epoch, body)
  local n = tonumber(call('HGET', 'meta:' .. conversation, 'n') or 0) + 1
  call('XADD', 'log:' .. conversation, epoch .. '-' .. n, 't', timestamp(), 'm', body)
  call('HSET', 'meta:' .. conversation, 'n', n, 'e', epoch)
  return n
end
