-- Read when something was last stored in some conversations of an account.
-- args: account, conversations (50 at most)
-- reply: times in ms, 0 if unknown

local account, conversations = unpack(args)
local out = {}
for i, conversation in ipairs(conversations) do
  local upto = string.match(call('HGET', 'talks:' .. account, conversation) or '', ':([%d%-]*)$')
  -- A former member must not learn about later messages. Stores written before this field existed do not have it.
  local time = upto == '' and call('HGET', 'meta:' .. conversation, 'time')
  if not time then
    local entry = upto and call('XREVRANGE', 'log:' .. conversation, upto == '' and '+' or upto, '-', 'COUNT', 1)[1]
    time = entry and entry[2][2] or 0
  end
  out[i] = tonumber(time)
end
return out
