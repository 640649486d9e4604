-- Store a batch of messages, each independently, and add one entry to the router's stream: the commit point.
-- args: server, incarnation, epoch, stream, accounts (senders and peers), messages (flat: conversation, sender
--   'account/device', cseq or -1, body, account, peer or ''), marked (where messages that may have attributes or mentions begin)
-- reply: OK, results (a number or a word for each message), versions (flat: topic conversation, membership version),
--   time in ms
-- refuses: LEASE, EPOCH <epoch>
-- each: NOTFOUND, NOTMEMBER, BLOCKED, RIGHTS <needs>, MUTED <until>, SLOW <until>, GAP <expected>, CONFLICT <expected>, OLD,
--   TRYAGAIN, DUP <position and time>, INTERNAL
-- writes: log:<conversation> meta:<conversation> talks:<account> mentions:<account> slow:<conversation> count:<stream> /sysctrl/send
--- @include "clock"
--- @include "elsewhere"
--- @include "here"
--- @include "shut"
--- @rarely look_back, note_stored, note_mentions, note_written, open_span, refused_attribute, unreachable, unwritable, write_mentions
--- @include "look_back"
--- @include "mentions"
--- @include "spans"
--- @include "restrictions"
--- @include "unreachable"
--- @checks
--- @end

-- fishchat/model/routing.py describes the layout of a batch, which the router reads unchanged.

local server, incarnation, epoch, stream, accounts, messages, marked = unpack(args)

local keys = {'lease:' .. server, 'epoch'}
for i = 1, #accounts do keys[i + 2] = 'at:' .. accounts[i] end
local found = call('MGET', unpack(keys))
if found[1] ~= incarnation then return {'LEASE'} end
if found[2] ~= epoch then return {'EPOCH', found[2] or '0'} end
local at, abroad = {}, {}
for i = 1, #accounts do
  local places = found[i + 2]
  at[accounts[i]] = places
  abroad[accounts[i]] = elsewhere(places, server)
end

local present = {}
local function is_here(sender, account)
  local known = present[sender]
  if known == nil then
    known = is_at(at[account], server, sender, account)
    present[sender] = known
  end
  return known
end

-- Redis formats arguments that are numbers with %.17g, which is slow: here numbers are text.
local format = string.format
local now = timestamp()
local at_epoch = epoch .. '-%d'
local everywhere
local function all_servers()
  if everywhere == nil then
    local names = call('HKEYS', 'servers')
    everywhere = #names > 1 and table.concat(names, ' ') or false
  end
  return everywhere
end

local states, order = {}, {}
local function state_of(conversation)
  local state = {n = false, version = false, cseq = {}, read = {}, member = {}, changed = false}
  states[conversation] = state
  order[#order + 1] = conversation
  return state
end

-- The refusal of lib/rights.lua for 'write', looked up once a batch.
local function is_member(state, conversation, account)
  local known = state.member[account]
  if known == nil then
    known = call('HEXISTS', 'members:' .. conversation, account) == 1
    state.member[account] = known
  end
  return known
end

-- The first message between two accounts.
local function begin(conversation, account, peer)
  rare().open_span(peer, conversation, '0-0')
  if account ~= peer then rare().open_span(account, conversation, '0-0') end
end

local has_looked_back, has_mentions = false, false

-- Return the reason not to store a message, or nothing. Duplicates are detected first: they are stored already.
local function refusal(state, conversation, sender, cseq, body, account, peer)
  local expected = state.cseq[sender] + 1
  if cseq > 0 and cseq < expected then
    has_looked_back = true
    return rare().look_back(conversation, body, expected)
  end
  if not is_here(sender, account) then return 'TRYAGAIN' end
  if peer == '' and not is_member(state, conversation, account) then
    return call('EXISTS', 'topic:' .. conversation) == 1 and 'NOTMEMBER' or 'NOTFOUND'
  end
  if cseq == 0 or cseq > expected then return 'GAP expected=' .. expected end
  if peer == '' then return state.shut and rare().unwritable(conversation, account, state.shut) end
  if state.begun then return shut(state.shut, account) end
  return rare().unreachable(account, peer)
end

-- Messages with attributes, which the store must check, or with an '@' in their texts, which may mention members. All
-- others are not looked at.
local is_marked = {}
for _, start in ipairs(marked) do is_marked[start + 1] = true end

-- Errors of one conversation's data; any other error of the first write (OOM, READONLY, …) is the whole batch's.
local function is_local(err)
  return string.find(err, 'WRONGTYPE', 1, true) or string.find(err, 'ID specified', 1, true)
end

local results, routes, wrote = {}, {}, false
for i = 1, #messages, 6 do
  local conversation, sender, cseq, body, account, peer =
    messages[i], messages[i + 1], messages[i + 2], messages[i + 3], messages[i + 4], messages[i + 5]
  local state = states[conversation] or state_of(conversation)
  if state.n == false or state.cseq[sender] == nil then
    local meta = call('HMGET', 'meta:' .. conversation, 'n', 'v', 'b', sender)
    if state.n == false then
      state.n, state.version, state.begun = tonumber(meta[1] or 0), tonumber(meta[2] or 0), meta[1]
      state.shut = meta[3]
    end
    state.cseq[sender] = tonumber(meta[4] or 0)
  end
  local result = refusal(state, conversation, sender, cseq, body, account, peer)
  if not result and is_marked[i] then result = rare().refused_attribute(conversation, account, body) end
  if not result then
    if peer ~= '' and not state.begun then
      begin(conversation, account, peer)
      state.begun = true
    end
    result = state.n + 1
    local stored = redis.pcall('XADD', 'log:' .. conversation, format(at_epoch, result), 't', now, 'm', body)
    if type(stored) == 'table' then
      if not wrote and not is_local(stored.err) then return stored end
      result = 'INTERNAL'
    else
      wrote = true
      if has_looked_back then rare().note_stored('log:' .. conversation, stored, now, body) end
      state.n, state.changed, state.read[account] = result, true, result
      if cseq > 0 then state.cseq[sender] = cseq end
      if peer == '' then
        if state.shut then rare().note_written(conversation, account, state.shut, now) end
        if is_marked[i] then
          has_mentions = true
          rare().note_mentions(conversation, result, account, body)
        end
      end
      local targets
      if peer == '' then
        targets = all_servers()
      else
        local here, there = abroad[account], abroad[peer]
        targets = here and there and here ~= there and here .. ' ' .. there or here or there
      end
      if targets then
        local r = #routes
        routes[r + 1], routes[r + 2], routes[r + 3], routes[r + 4] = i - 1, result, state.version, targets
      end
    end
  end
  results[(i + 5) / 6] = result
end

local versions = {}
for _, conversation in ipairs(order) do
  local state = states[conversation]
  if state.version > 0 then
    versions[#versions + 1], versions[#versions + 2] = conversation, state.version
  end
  if state.changed then
    local sets = {'n', format('%d', state.n), 'e', epoch, 'time', now}
    for sender, cseq in pairs(state.cseq) do
      if cseq > 0 then sets[#sets + 1], sets[#sets + 2] = sender, format('%d', cseq) end
    end
    for account, n in pairs(state.read) do sets[#sets + 1], sets[#sets + 2] = 'r:' .. account, format('%d', n) end
    call('HSET', 'meta:' .. conversation, unpack(sets))
  end
end

if has_mentions then rare().write_mentions() end
if #routes > 0 then
  local n = call('INCR', 'count:' .. stream)
  -- Without a router some 100,000 messages are kept for it, or 4,000 batches, whichever is more.
  local most = math.max(4000, math.floor(600000 / #messages))
  call('XADD', stream, 'MAXLEN', '~', most, epoch .. '-' .. n, 'b', ARGV[1], 'r', cmsgpack.pack(routes), 't', now)
end
return {'OK', results, versions, now}
