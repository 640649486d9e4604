-- Read how far one device is in one conversation.
-- args: account, device, conversation
-- reply: last position, cursor or '', spans or '', membership version

local account, device, conversation = unpack(args)
local meta = call('HMGET', 'meta:' .. conversation, 'e', 'n', 'v')
return {
  (meta[1] or '0') .. '-' .. (meta[2] or '0'),
  call('HGET', 'cursor:' .. account .. '/' .. device, conversation) or '',
  call('HGET', 'talks:' .. account, conversation) or '',
  tonumber(meta[3] or 0),
}
