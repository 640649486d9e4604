-- Set the profile of an account.
-- args: account, field ('name' or 'privacy'), value ('' removes it)
-- reply: OK
-- refuses: NOTFOUND
-- writes: account:<account>

local account, field, value = unpack(args)
if call('HEXISTS', 'account:' .. account, 'created') == 0 then return {'NOTFOUND'} end
if value == '' then
  call('HDEL', 'account:' .. account, field)
else
  call('HSET', 'account:' .. account, field, value)
end
return {'OK'}
