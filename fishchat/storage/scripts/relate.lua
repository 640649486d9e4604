-- Blocks an account ('b'), takes it for a contact ('c'), or ends that. args: account, other, kind, whether it is to be
-- so, how many relations at most. Gives {'OK'} or {'FULL', how many}. Whether the other is there is not told.
local account, other, kind, wanted, most = unpack(args)
local relations = 'relations:' .. account
local now = call('HGET', relations, other)
if wanted and now ~= kind then
  if not now and call('HLEN', relations) >= most then return {'FULL', most} end
  call('HSET', relations, other, kind)
elseif not wanted and now == kind then
  call('HDEL', relations, other)
end
-- Where the two have talked, send.lua sees it with the counters, which it reads anyway.
local meta = 'meta:' .. p2p(account, other)
if call('HEXISTS', meta, 'n') == 1 and account ~= other then
  local names = {}
  for name in string.gmatch(call('HGET', meta, 'b') or '', '%S+') do
    if name ~= account then names[#names + 1] = name end
  end
  if call('HGET', relations, other) == 'b' then names[#names + 1] = account end
  if #names == 0 then
    call('HDEL', meta, 'b')
  else
    call('HSET', meta, 'b', table.concat(names, ' '))
  end
end
return {'OK'}
