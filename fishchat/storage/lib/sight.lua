--- @include "positions"

-- Return the spans of a conversation that an account may see, or nil if it never took part. Former members keep theirs.
local function sight_of(account, conversation)
  return call('HGET', 'talks:' .. account, conversation) or nil
end

-- Return whether a position lies in these spans.
local function sees(spans, at)
  if spans == '0-0:' then return at ~= '0-0' end
  for after, upto in string.gmatch(spans, '(%d+%-%d+):([%d%-]*)') do
    if above(at, after) and (upto == '' or not above(at, upto)) then return true end
  end
  return false
end

-- Return the refusal of a conversation without spans: TOPIC if the name that stands for it is one of the account's topics.
local function unseen(account, topic)
  return topic ~= '' and sight_of(account, topic) and 'TOPIC' or 'NOTFOUND'
end
