-- The spans of an account in a conversation: 'after:upto', joined by commas; the last one is open while the account may
-- see new messages. At most SPANS are kept: an account that leaves and joins more often loses the oldest.
local SPANS = 32

local function open_span(account, conversation, after)
  local spans = call('HGET', 'talks:' .. account, conversation)
  if not spans then
    spans = after .. ':'
  elseif string.sub(spans, -1) == ':' then
    return
  elseif string.sub(spans, -#after - 1) == ':' .. after then  -- no message was stored in between
    spans = string.sub(spans, 1, -#after - 1)
  else
    spans = spans .. ',' .. after .. ':'
    local _, commas = string.gsub(spans, ',', ',')
    if commas >= SPANS then spans = string.match(spans, ',(.*)$') end
  end
  call('HSET', 'talks:' .. account, conversation, spans)
end

local function close_span(account, conversation, upto)
  local spans = call('HGET', 'talks:' .. account, conversation)
  if spans and string.sub(spans, -1) == ':' then
    call('HSET', 'talks:' .. account, conversation, spans .. upto)
  end
end
