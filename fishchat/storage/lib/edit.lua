--- @include "fold"
--- @include "limits"
--- @include "mentions"
--- @include "restrictions"
--- @include "rights"
--- @include "erased"
--- @include "erased_edits"

local edit = {}

-- Return whether the text that stands now is the new one already.
local function says_the_same(op)
  local message = op.message
  local current = message.current or message.body
  if not message.current and op.state.edit ~= '-' then
    current = operation_at(op.conversation, op.state.edit)[2][4]
    message.current = current
  end
  local text = string.match(op.body, '^%S+ %S+ %S+ %S+ (.*)$')
  if string.sub(current, -#text - 1) ~= ' ' .. text then return false end
  local _, _, _, form, current_text = parts_of(current)
  local _, _, _, new_form = parts_of(op.body)
  local is_escaped = kind_of(form) == 'e' or attribute_of(form, 'esc') ~= nil
  return text == current_text and is_escaped == (attribute_of(new_form, 'esc') ~= nil)
    and attribute_of(form, 'mention') == attribute_of(new_form, 'mention')
end

function edit.refused(op, state, limits, now)
  if op.message.author ~= op.account then return 'RIGHTS needs=author' end
  local word = state.is_topic and state.shut and unwritable(op.conversation, op.account, state.shut)
    or too_late(op, limits[1], now)
  if word then return word end
  if state.is_topic and string.find(op.body, '^%S+ %S+ %S+ [^ ]*;mention=all[; ]') then
    local refused = forbids(op.account, op.conversation, 'mention_all')
    if refused then return table.concat(refused, ' ') end
  end
  local current = op.state.edit == '-' and op.of or op.state.edit
  if op.was ~= '' and op.was ~= current then return 'CHANGED current=' .. op.conversation .. ':' .. current end
  if says_the_same(op) then return nil, current end
  if op.state.edits >= EDITS then return 'FULL limit=' .. EDITS end
  if not limits[3] and erasable <= 0 then return 'TRYAGAIN' end
end

-- Each edit names the one before it, so that all texts of a message can be found from the last one; 'x' if the text that it
-- replaces is not to be seen any more.
function edit.extra(op, _, limits)
  return 'p', limits[3] and op.state.edit or 'x'
end

function edit.done(op, number, position, now, limits)
  if not limits[3] then
    -- More than one if replaced texts were kept until now.
    erased_edits(op.conversation, op.state)
    note_replaced(op.conversation, op.of, op.state.edit, position)
  end
  op.state.edit, op.state.edits = position, op.state.edits + 1
  op.message.current, op.message.is_amended = op.body, true
  if string.sub(op.conversation, 1, 1) == '#' then
    local restrictions = call('HGET', 'meta:' .. op.conversation, 'b')
    if restrictions then note_written(op.conversation, op.account, restrictions, now) end
    if string.find(op.body, '@', 1, true) or string.find(op.body, ';mention=', 1, true) then
      note_mentions(op.conversation, number, op.account, op.body)
    end
  end
end
