-- Block an account, make it a contact, or end either.
-- args: account, other, kind ('b' blocked, 'c' contact), wanted, most (relations)
-- reply: OK
-- refuses: NOTFOUND, FULL <limit>
-- writes: relations:<account> meta:<conversation>
--- @include "deleted"
--- @include "names"
--- @include "set_shut"

-- NOTFOUND: the account itself was deleted. Whether the other one exists is not revealed.

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
-- If the two have talked, send.lua finds the block in the counters, which it reads anyway.
local conversation = p2p(account, other)
if account ~= other and call('HEXISTS', 'meta:' .. conversation, 'n') == 1 then
  set_shut(conversation, account, call('HGET', relations, other) == 'b')
end
return {'OK'}
