-- Return which of these accounts may see a message.
-- args: conversation, position, accounts (some hundred)
-- reply: the accounts, in their order
--- @include "positions"
--- @include "sight"
--- @include "sees"

local conversation, at, accounts = unpack(args)
local epoch, number = position(at)
local found = {}
for _, account in ipairs(accounts) do
  if sees(sight_of(account, conversation) or '', epoch, number) then found[#found + 1] = account end
end
return found
