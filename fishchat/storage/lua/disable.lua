-- Takes an account's right to log in and ends its sessions, or gives it back; tokens stay.
-- args: account, whether to disable it. Gives {'OK', sessions ended} or {'NOTFOUND'}.
local account, disable = unpack(args)
if call('HEXISTS', 'account:' .. account, 'created') == 0 then return {'NOTFOUND'} end
if not disable then
  call('HDEL', 'account:' .. account, 'disabled')
  return {'OK', 0}
end
begin_vital()
if call('HEXISTS', 'account:' .. account, 'disabled') == 0 then
  call('HSET', 'account:' .. account, 'disabled', milliseconds())
end
return {'OK', take_back(account, '', '', 'disabled')}
