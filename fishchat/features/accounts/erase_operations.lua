-- Erase what a deleted account did to messages in one conversation, some hundred operations a call: before its messages.
-- args: account, conversation, after (position or ''), count (operations to check)
-- reply: position to go on after or ''
-- writes: ops:<conversation> amended:<conversation> changed:<conversation> react:<conversation>:<number> unscrubbed
--- @include "amended"
--- @include "bodies"
--- @include "erased"
--- @include "positions"

-- Its reactions no longer count, its texts and reasons are gone. Pins and recalls stay what they are.

local account, conversation, after, count = unpack(args)
local ops = 'ops:' .. conversation

-- An operation names the reaction as a text, its key as in a tag: the field holds the position of the operation.
local function take_back(form, at)
  local number = select(2, position(attribute_of(form, 'of')))
  local key = 'react:' .. conversation .. ':' .. number
  local state = amended(conversation, number)
  if state.recalled then return end
  local sums, fields = sums_of(state.reactions), {}
  for i = 1, #sums, 2 do fields[#fields + 1] = account .. ' ' .. sums[i] end
  if #fields == 0 then return end
  for i, found in ipairs(call('HMGET', key, unpack(fields))) do
    if found == at then
      call('HDEL', key, fields[i])
      state.reactions = summed(state.reactions, string.sub(fields[i], #account + 2), -1)
      amend(conversation, number, state)
    end
  end
end

local erased = 0
local page = call('XRANGE', ops, after == '' and '-' or '(' .. after, '+', 'COUNT', count)
for _, entry in ipairs(page) do
  local body = entry[2][4]
  if is_by(body, account) then
    local _, _, _, form = parts_of(body)
    if kind_of(form) == 'react' then take_back(form, entry[1]) end
    erased = erased + call('XDEL', ops, entry[1])
  end
end
if erased > 0 then mark_unscrubbed(conversation) end
return #page == count and page[#page][1] or ''
