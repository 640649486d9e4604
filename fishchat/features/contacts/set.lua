-- Block an account, make it a contact, or end either; the other relation stays as it is.
-- args: account, other, kind ('b' blocked, 'c' contact), wanted, most (relations), remark (about a contact; false: as it is)
-- reply: OK
-- refuses: NOTFOUND, FULL <limit>
-- writes: relations:<account> remarks:<account> contact_asked:<account> meta:<conversation>
--- @include "deleted"
--- @include "names"
--- @include "relations"
--- @include "set_shut"
--- @include "vital"

-- NOTFOUND: the account itself was deleted. Whether the other one exists is not revealed.

local account, other, kind, wanted, most, remark = unpack(args)
if is_deleted(account) then return {'NOTFOUND'} end
local relations = 'relations:' .. account
local now = call('HGET', relations, other)
local blocked, contact = is_blocked(now), is_contact(now)
-- A full memory must not stop the end of a relation.
if not wanted then begin_vital() end
if kind == 'b' then blocked = wanted else contact = wanted end
local after = (blocked and 'b' or '') .. (contact and 'c' or '')
if after == '' then
  call('HDEL', relations, other)
elseif after ~= now then
  if not now and call('HLEN', relations) >= most then return {'FULL', most} end
  call('HSET', relations, other, after)
end
if kind == 'c' and (remark == '' or not wanted) then
  call('HDEL', 'remarks:' .. account, other)
elseif remark then
  call('HSET', 'remarks:' .. account, other, remark)
end
-- No request of the two outlives a block.
if kind == 'b' and wanted then
  call('HDEL', 'contact_asked:' .. account, other)
  call('HDEL', 'contact_asked:' .. other, account)
end
-- If the two have talked, send.lua finds the block in the counters, which it reads anyway.
local conversation = p2p(account, other)
if kind == 'b' and account ~= other and call('HEXISTS', 'meta:' .. conversation, 'n') == 1 then
  set_shut(conversation, account, blocked)
end
return {'OK'}
