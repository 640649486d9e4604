-- Devices went; a session that another login took over is left alone.
-- args: server, incarnation, epoch (of no matter here), flat array of account, device, connection. Gives how many ended.
local server, incarnation, _, gone = unpack(args)
incarnation = bare(incarnation)
local now, ended = milliseconds(), 0
for i = 1, #gone, 3 do
  local account, device = gone[i], gone[i + 1]
  local mine = server .. ' ' .. incarnation .. ' ' .. gone[i + 2]
  if call('HGET', 'session:' .. account, device) == mine then
    call('HDEL', 'session:' .. account, device)
    call('SREM', 'on:' .. server .. ':' .. incarnation, account .. '/' .. device)
    call('HSET', 'seen:' .. account, device, now)
    locate(account)
    ended = ended + 1
  end
end
return ended
