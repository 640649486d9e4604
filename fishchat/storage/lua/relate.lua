-- Blocks an account ('b'), takes it for a contact ('c'), or ends that. args: account, other, kind, whether it is to be
-- so, how many relations at most. Gives {'OK'}, {'NOTFOUND'} for an account that was deleted, or {'FULL', how many}.
-- Whether the other is there is not told.
local account, other, kind, wanted, most = unpack(args)
if is_deleted(account) then return {'NOTFOUND'} end
local relations = 'relations:' .. account
local now = call('HGET', relations, other)
if wanted and now ~= kind then
  if not now and call('HLEN', relations) >= most then return {'FULL', most} end
  call('HSET', relations, other, kind)
elseif not wanted and now == kind then
  call('HDEL', relations, other)
end
-- Where the two have talked, send.lua sees it with the counters, which it reads anyway.
local conversation = p2p(account, other)
if account ~= other and call('HEXISTS', 'meta:' .. conversation, 'n') == 1 then
  set_shut(conversation, account, call('HGET', relations, other) == 'b')
end
return {'OK'}
