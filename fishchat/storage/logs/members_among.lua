-- Read which of these accounts are members of a topic.
-- args: conversation, accounts
-- reply: membership version, last position, members (flat: account, position after which it sees messages)

local conversation, accounts = unpack(args)
local meta = call('HMGET', 'meta:' .. conversation, 'v', 'e', 'n')
local out = {}
if #accounts > call('HLEN', 'members:' .. conversation) then
  out = call('HGETALL', 'members:' .. conversation)
else
  for first = 1, #accounts, 1000 do
    local last = math.min(first + 999, #accounts)
    local found = call('HMGET', 'members:' .. conversation, unpack(accounts, first, last))
    for i = first, last do
      local after = found[i - first + 1]
      if after then out[#out + 1], out[#out + 2] = accounts[i], after end
    end
  end
end
return {tonumber(meta[1] or 0), (meta[2] or '0') .. '-' .. (meta[3] or '0'), out}
