-- Refuse the request of an account to become a contact. It is not notified.
-- args: account, other
-- reply: OK
-- refuses: NOTFOUND
-- writes: contact_asked:<account>

local account, other = unpack(args)
if call('HDEL', 'contact_asked:' .. account, other) == 0 then return {'NOTFOUND'} end
return {'OK'}
