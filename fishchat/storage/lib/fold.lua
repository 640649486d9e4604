--- @include "amended"
--- @include "bodies"
--- @include "positions"

-- Readers never see a stored text as it is: they see the text that stands now. A body that was changed is made anew here,
-- with attributes that only the server sets: edited, mine, pinned, react, recalled.

-- Return the stored entry of an operation, or nil.
local function operation_at(conversation, at)
  return call('XRANGE', 'ops:' .. conversation, at, at)[1]
end

-- Return the position of the edit before an edit: '-' if that is the message itself, 'x' if the text before it is erased.
local function edit_before(edit)
  return edit[2][5] == 'p' and edit[2][6] or 'x'
end

-- Return the entries of all edits of a message that are kept, the newest first.
local function edits_of(conversation, state)
  local edits, at = {}, state.edit
  while at and at ~= '-' and at ~= 'x' do
    local edit = operation_at(conversation, at)
    if not edit then break end
    edits[#edits + 1] = edit
    at = edit_before(edit)
  end
  return edits
end

-- Return a form with more attributes, in the order of their names.
local function with_attributes(form, more)
  local parts, kind = {}, kind_of(form)
  for part in string.gmatch(string.sub(form, #kind + 1), '[^;]+') do parts[#parts + 1] = part end
  for _, part in ipairs(more) do parts[#parts + 1] = part end
  table.sort(parts)
  return #parts > 0 and kind .. ';' .. table.concat(parts, ';') or kind
end

-- Return the last edit that a reader may see: somebody who left does not see what was written later. Return '-' if that is
-- the message itself, and nil if its text of then is not kept. An edit names the one before it, or 'x' for a text that
-- nobody may see any more.
local function edit_for(conversation, state, may_see)
  local at = state.edit or '-'
  while at ~= '-' and may_see and not may_see(at) do
    local edit = operation_at(conversation, at)
    at = edit and edit_before(edit) or 'x'
    if at == 'x' then return nil end
  end
  return at
end

-- Return whether a scrub has erased the first text of a message that was edited.
local function is_scrubbed(body)
  return string.find(body, '^%S+ %S+ %S+ %S+ $') ~= nil
end

-- Return the body with the text that stands for a reader. `may_see` returns whether it sees a position; nil for everything.
local function edited_body(conversation, body, state, may_see)
  local at = edit_for(conversation, state, may_see)
  if at == '-' and (state.edit == '-' or state.recalled or not is_scrubbed(body)) then return body end
  local account, device, cseq, form = parts_of(body)
  local edit = at and at ~= '-' and operation_at(conversation, at)
  if not edit then return account .. ' ' .. device .. ' ' .. cseq .. ' - edited later' end
  local _, _, _, new_form, text = parts_of(edit[2][4])
  local kept, mention = {}, attribute_of(new_form, 'mention')
  for part in string.gmatch(string.sub(form, #kind_of(form) + 1), '[^;]+') do
    if not string.find(part, '^mention=') then kept[#kept + 1] = part end
  end
  if mention then kept[#kept + 1] = 'mention=' .. mention end
  kept[#kept + 1] = 'edited=' .. conversation .. ':' .. at
  form = with_attributes(attribute_of(new_form, 'esc') and 'e' or '-', kept)
  return account .. ' ' .. device .. ' ' .. cseq .. ' ' .. form .. ' ' .. text
end

-- Return the body that stands for a message that was recalled, and the time of the message. A reader that does not see the
-- recall is not shown its reason.
local function stub_of(conversation, state, may_see)
  local recall = may_see(state.at) and operation_at(conversation, state.at)
  local reason = recall and string.match(recall[2][4], '^%S+ %S+ %S+ %S+ (.*)$') or ''
  local text = reason == '' and 'recalled' or 'recalled: ' .. reason
  local escaped = recall and string.find(recall[2][4], '^%S+ %S+ %S+ recall;esc;')
  return state.account .. ' ' .. state.device .. ' -1 ' .. (escaped and 'e' or '-') .. ';recalled=' .. state.by .. ' ' .. text, state.time
end

-- Return the body as an account reads it in history: with the reactions, its own ones, and whether it is pinned.
local function shown_body(conversation, at, body, state, account, pins, may_see)
  body = edited_body(conversation, body, state, may_see)
  local more = {}
  if state.reactions ~= '-' then
    more[1] = 'react=' .. state.reactions
    local fields, mine = {}, {}
    local sums = sums_of(state.reactions)
    for i = 1, #sums, 2 do fields[#fields + 1] = account .. ' ' .. sums[i] end
    local found = call('HMGET', 'react:' .. conversation .. ':' .. select(2, position(at)), unpack(fields))
    for i, field in ipairs(fields) do
      if found[i] then mine[#mine + 1] = string.sub(field, #account + 2) end
    end
    if #mine > 0 then more[#more + 1] = 'mine=' .. table.concat(mine, ',') end
  end
  if pins[at] then more[#more + 1] = 'pinned' end
  if #more == 0 then return body end
  local sender, device, cseq, form, text = parts_of(body)
  return sender .. ' ' .. device .. ' ' .. cseq .. ' ' .. with_attributes(form, more) .. ' ' .. text
end

-- Return the positions that are pinned, as keys.
local function pins_of(conversation)
  local pins = {}
  for _, at in ipairs(call('HKEYS', 'pins:' .. conversation)) do pins[at] = true end
  return pins
end

-- Return the entries that stand for recalled messages between two positions ('' for no upper end), the `count` nearest to
-- the end at which the reader begins.
local function stubs_between(conversation, after, upto, count, descending, may_see)
  local low, high = '(' .. select(2, position(after)), upto == '' and '+inf' or select(2, position(upto))
  local changed, numbers = 'changed:' .. conversation, nil
  if descending then
    numbers = call('ZREVRANGEBYSCORE', changed, high, low, 'LIMIT', 0, 2 * count)
  else
    numbers = call('ZRANGEBYSCORE', changed, low, high, 'LIMIT', 0, 2 * count)
  end
  local out = {}
  if #numbers == 0 then return out end
  for i, value in ipairs(call('HMGET', 'amended:' .. conversation, unpack(numbers))) do
    local state = amendment_of(value)
    if state.recalled then
      local at = state.epoch .. '-' .. numbers[i]
      if above(at, after) and (upto == '' or not above(at, upto)) then
        local body, time = stub_of(conversation, state, may_see)
        out[#out + 1] = {at, {'t', time, 'm', body}}
      end
    end
  end
  return out
end
