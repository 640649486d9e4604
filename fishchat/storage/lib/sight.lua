-- Return the spans of a conversation that an account may see, or nil if it never took part. Former members keep theirs.
local function sight_of(account, conversation)
  return call('HGET', 'talks:' .. account, conversation) or nil
end

-- Return the refusal of a conversation without spans: TOPIC if the name that stands for it is one of the account's topics.
local function unseen(account, topic)
  return topic ~= '' and sight_of(account, topic) and 'TOPIC' or 'NOTFOUND'
end
