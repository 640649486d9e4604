-- Disable an account and end its sessions, or enable it again; its tokens stay.
-- args: account, disable
-- reply: OK, sessions ended
-- refuses: NOTFOUND
-- writes: account:<account> session:<account> on:<server>:<incarnation> seen:<account> at:<account> revocations
--- @include "vital"
--- @include "sessions"

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
return {'OK', end_sessions(account, '', '', 'disabled')}
