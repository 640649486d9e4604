-- Store a batch of operations on messages, each independently, and add one entry to the router's stream: the commit point.
-- args: server, incarnation, epoch, stream, vital (whether the operations need hardly any memory), limits (edit and recall
--   time in ms, -1 for ever; whether replaced texts are kept), operations (flat: conversation, sender 'account/device', cseq
--   or -1, body, account, kind, target position, reaction as in a tag or '', position that the text must stand at or '')
-- reply: OK, results (a number or a word for each operation), versions (flat: topic conversation, membership version),
--   time in ms
-- refuses: LEASE, EPOCH <epoch>
-- each: NOTFOUND, NOTMEMBER, BLOCKED, RIGHTS <needs>, MUTED <until>, SLOW <until>, GONE, TOOLATE <limit>, CHANGED <current>,
--   FULL <limit>, GAP <expected>, CONFLICT <expected>, OLD, TRYAGAIN, DUP <position and time>, PASSED <number> (stored, but
--   pushed to nobody), INTERNAL
-- writes: ops:<conversation> log:<conversation> meta:<conversation> amended:<conversation> changed:<conversation>
--   quiet:<conversation> react:<conversation>:<number> pins:<conversation> mentions:<account> slow:<conversation>
--   unscrubbed erasures count:<stream> /sysctrl/send
--- @include "vital"
--- @include "fence"
--- @include "enabled"
--- @include "here"
--- @include "sight"
--- @include "rights"
--- @include "shut"
--- @include "places_of"
--- @include "look_back"
--- @include "fold"
--- @include "edit"
--- @include "recall"
--- @include "reactions"
--- @include "pins"

local server, incarnation, epoch, stream, vital, limits, operations = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if vital then begin_vital() end

local now = timestamp()
local is_enabled = enabled('operations')
local states, order, at = {}, {}, {}

local function state_of(conversation)
  local state = states[conversation]
  if not state then
    local meta = call('HMGET', 'meta:' .. conversation, 'n', 'v', 'b', 't', 'k')
    state = {
      n = tonumber(meta[1] or 0), version = tonumber(meta[2] or 0), shut = meta[3], trimmed = tonumber(meta[4] or 0),
      cseq = {}, sights = {}, quiet = {}, messages = {}, barred = {}, may_react = {}, added = 0, k = tonumber(meta[5] or 0), is_topic = string.sub(conversation, 1, 1) == '#',
    }
    states[conversation] = state
    order[#order + 1] = conversation
  end
  return state
end

local function is_here(sender, account)
  if at[account] == nil then at[account] = call('GET', 'at:' .. account) end
  return is_at(at[account], server, sender, account)
end

local function spans_of(state, account, conversation)
  if state.sights[account] == nil then state.sights[account] = sight_of(account, conversation) or false end
  return state.sights[account]
end

-- What each kind of operation does. `refused(op)` returns the reason not to store it, or nil, and if it is done already the
-- position at which that was stored. `done(op, number, position)` changes the folded state.
local KINDS = {
  edit = edit, recall = recall, react = react, unreact = unreact, pin = pin, unpin = unpin,
}
-- These take something away: a block, a mute or the end of a membership does not stop them.
local TAKES_AWAY = {recall = true, unreact = true}

-- Return the refusal of an account that may no longer act here, or nil.
local function barred(state, op)
  if TAKES_AWAY[op.kind] then return end
  if not state.is_topic then return shut(state.shut, op.account) end
  local known = state.barred[op.account]
  if known == nil then
    local role, exists = role_of(op.account, op.conversation)
    known = not exists and 'NOTFOUND' or not role and 'NOTMEMBER' or false
    state.barred[op.account] = known
  end
  return known or nil
end

-- Return the message at a position and what was done to it. It is read once a batch, and what a batch does to it is
-- written once, at the end.
local function message_of(state, op)
  local message = state.messages[op.of]
  if not message then
    local number = select(2, position(op.of))
    message = {number = number, state = amended(op.conversation, number)}
    local entry = call('XRANGE', 'log:' .. op.conversation, op.of, op.of)[1]
    if entry then
      message.body, message.time = entry[2][4], tonumber(entry[2][2])
      message.author, message.form = string.match(message.body, '^(%S+) %S+ %S+ (%S+)')
    end
    state.messages[op.of] = message
  end
  return message
end

-- Read the message that an operation is about. Return the reason if there is none.
local function read_target(state, op)
  local message = message_of(state, op)
  op.message, op.state = message, message.state
  if message.body then return kind_of(message.form) == 'n' and 'RIGHTS needs=nobody' or nil end
  if op.state.recalled and op.state.epoch .. '-' .. message.number == op.of then
    if op.kind == 'recall' then return nil, op.state.at end
    return 'GONE'
  end
  return message.number <= state.trimmed and 'GONE' or 'NOTFOUND'
end

-- Return a position with its time, as the answer to an operation that changes nothing any more.
local function done_before(op, position)
  local entry = operation_at(op.conversation, position)
  return 'DUP ' .. position .. ' ' .. (entry and entry[2][2] or op.message.time or now)
end

-- Return the reason not to store an operation, or nil. Duplicates are detected first: they are stored already.
local function refusal(state, op)
  local expected = state.cseq[op.sender] + 1
  local is_again = op.cseq > 0 and op.cseq < expected
  if is_again then
    local seen = look_back(op.conversation, op.body, expected)
    if seen ~= 'OLD' then return seen end
  end
  if not is_here(op.sender, op.account) or not is_enabled then return 'TRYAGAIN' end
  local spans = spans_of(state, op.account, op.conversation)
  if not spans or not sees(spans, op.of) then return 'NOTFOUND' end
  local word = barred(state, op)
  if word then return word end
  if op.cseq == 0 or op.cseq > expected then return 'GAP expected=' .. expected end
  local earlier
  word, earlier = read_target(state, op)
  if not word and not earlier then word, earlier = KINDS[op.kind].refused(op, state, limits, now) end
  -- An operation that changed nothing has used its number, too, and stored nothing by which to find it.
  if earlier then
    if op.cseq > 0 then state.cseq[op.sender], state.changed = math.max(op.cseq, state.cseq[op.sender]), true end
    return done_before(op, earlier)
  end
  return is_again and 'OLD' or word
end

-- Errors of one conversation's data; any other error of the first write is the whole batch's.
local function is_local(err)
  return string.find(err, 'WRONGTYPE', 1, true) or string.find(err, 'ID specified', 1, true)
end

local wrote, messages, routes = false, {}, {}

-- Store an operation. Return its result, or nil and the error of the first write, which is the whole batch's.
local function store(state, op)
  local kind = KINDS[op.kind]
  local number = state.n + 1
  local position = epoch .. '-' .. string.format('%d', number)
  local extra = kind.extra and {kind.extra(op, state, limits)} or {}
  local stored = redis.pcall('XADD', 'ops:' .. op.conversation, position, 't', now, 'm', op.body, unpack(extra))
  if type(stored) == 'table' then
    if not wrote and not is_local(stored.err) then return nil, stored end
    return 'INTERNAL'
  end
  wrote, state.changed = true, true
  if has_looked_back then note_stored('ops:' .. op.conversation, stored, now, op.body) end
  state.n, state.added = number, state.added + 1
  local quiet = state.quiet
  quiet[#quiet + 1], quiet[#quiet + 2] = number, number
  if op.cseq > 0 then state.cseq[op.sender] = op.cseq end
  kind.done(op, number, position, now, limits)
  local is_silent = extra[1] == 's'
  state.places = state.places or places_of(op.conversation, server) or ''
  if state.places ~= '' then
    local m, r = #messages, #routes
    local body = is_silent and head_of(op.body) .. 'passed;of=' .. op.of .. ' ' or op.body
    messages[m + 1], messages[m + 2], messages[m + 3] = op.conversation, '', -1
    messages[m + 4], messages[m + 5], messages[m + 6] = body, '', ''
    routes[r + 1], routes[r + 2], routes[r + 3], routes[r + 4] = m, number, state.version, state.places
  end
  return is_silent and 'PASSED ' .. number or number
end

-- Write what the operations of this batch have done to the messages of a conversation.
local function write_amendments(conversation, state)
  local values, new = {}, {}
  for _, message in pairs(state.messages) do
    if message.is_amended and not message.state.recalled then
      local number = string.format('%d', message.number)
      values[#values + 1], values[#values + 2] = number, amendment(message.state)
      if message.state.is_new then new[#new + 1], new[#new + 2] = number, number end
    end
  end
  if #values > 0 then call('HSET', 'amended:' .. conversation, unpack(values)) end
  if #new > 0 then call('ZADD', 'changed:' .. conversation, unpack(new)) end
end

local results = {}
for i = 1, #operations, 9 do
  local op = {
    conversation = operations[i], sender = operations[i + 1], cseq = operations[i + 2], body = operations[i + 3],
    account = operations[i + 4], kind = operations[i + 5], of = operations[i + 6], reaction = operations[i + 7],
    was = operations[i + 8],
  }
  local state = state_of(op.conversation)
  if state.cseq[op.sender] == nil then
    state.cseq[op.sender] = tonumber(call('HGET', 'meta:' .. op.conversation, op.sender) or 0)
  end
  local result = refusal(state, op)
  if not result then
    local failed
    result, failed = store(state, op)
    if failed then return failed end
  end
  results[(i + 8) / 9] = result
end

local versions = {}
for _, conversation in ipairs(order) do
  local state = states[conversation]
  if state.version > 0 then versions[#versions + 1], versions[#versions + 2] = conversation, state.version end
  if state.changed then
    local sets = {'n', string.format('%d', state.n)}
    if state.added > 0 then sets[3], sets[4], sets[5], sets[6] = 'e', epoch, 'k', string.format('%d', state.k + state.added) end
    for sender, cseq in pairs(state.cseq) do
      if cseq > 0 then sets[#sets + 1], sets[#sets + 2] = sender, string.format('%d', cseq) end
    end
    call('HSET', 'meta:' .. conversation, unpack(sets))
    if state.added > 0 then
      call('ZADD', 'quiet:' .. conversation, unpack(state.quiet))
      write_amendments(conversation, state)
    end
  end
end
write_mentions()
if #routes > 0 then leave_batch(server, incarnation, epoch, stream, messages, routes, now) end
return {'OK', results, versions, now}
