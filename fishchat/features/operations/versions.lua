-- Read all texts of a message, the oldest first.
-- args: account, conversation, position, versions (who may see replaced texts)
-- reply: OK, entries (flat: position, time in ms, body)
-- refuses: NOTFOUND, GONE, RIGHTS <needs>
--- @include "visible"

local account, conversation, at, versions = unpack(args)
local entry, state, word, may_see = visible(account, conversation, at)
if not word and state.recalled then word = 'GONE' end
if word then return {word} end
local author, device, cseq, form = parts_of(entry[2][4])
if versions == 'author' and author ~= account then return {'RIGHTS', 'needs=author'} end

local edits, edit_at = {}, edit_for(conversation, state, may_see)
while edit_at and edit_at ~= '-' and edit_at ~= 'x' do
  local edit = operation_at(conversation, edit_at)
  if not edit then break end
  edits[#edits + 1] = edit
  edit_at = versions ~= 'nobody' and edit_before(edit) or 'x'
end
local out = {}
if edit_at == '-' and not is_scrubbed(entry[2][4]) then
  out = {entry[1], entry[2][2], entry[2][4]}
elseif #edits == 0 then
  out = {entry[1], entry[2][2], edited_body(conversation, entry[2][4], state, may_see)}
end
for i = #edits, 1, -1 do
  local one, o = {edit = edits[i][1], edits = 1, reactions = '-'}, #out
  out[o + 1], out[o + 2], out[o + 3] = edits[i][1], edits[i][2][2], edited_body(conversation, entry[2][4], one)
end
return {'OK', out}
