-- Whose token this is. args: account, fingerprint, ms that tokens live. Gives the device's name, or '' for none.
local account, fingerprint, lives = unpack(args)
local found = call('HMGET', 'account:' .. account, 'created', 'disabled')
if not found[1] or found[2] then return '' end
local now = milliseconds()
for _, device in ipairs(call('HKEYS', 'tokens:' .. account)) do
  local known, _, used = token_of(account, device)
  if known == fingerprint and used + lives > now then return device end
end
return ''
