-- Read the pinned messages of a conversation that an account may see, in the order in which they were pinned.
-- args: account, conversation
-- reply: OK, entries (flat: position, time in ms, body)
-- refuses: NOTFOUND
--- @include "visible"

local account, conversation = unpack(args)
if not sight_of(account, conversation) then return {'NOTFOUND'} end
local pinned = {}
local found = call('HGETALL', 'pins:' .. conversation)
for i = 1, #found, 2 do pinned[#pinned + 1] = {found[i], found[i + 1]} end
table.sort(pinned, function(one, other) return above(other[2], one[2]) end)
local pins, out = pins_of(conversation), {}
for _, one in ipairs(pinned) do
  local at, o = one[1], #out
  local entry, state, word, may_see = visible(account, conversation, at)
  if not word and not state.recalled then
    out[o + 1], out[o + 2] = at, entry[2][2]
    out[o + 3] = shown_body(conversation, at, entry[2][4], state, account, pins, may_see)
  end
end
return {'OK', out}
