-- List the accounts that have asked an account to become a contact.
-- args: account
-- reply: packed (flat: account, 'ms text')

return cmsgpack.pack(call('HGETALL', 'contact_asked:' .. args[1]))
