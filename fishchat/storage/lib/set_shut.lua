-- Add an account to field 'b' of a conversation, or remove it.
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
