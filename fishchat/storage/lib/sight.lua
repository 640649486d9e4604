-- Return the spans of a conversation that an account may see, or nil if it never took part. Former members keep theirs.
local function sight_of(account, conversation)
  return call('HGET', 'talks:' .. account, conversation) or nil
end
