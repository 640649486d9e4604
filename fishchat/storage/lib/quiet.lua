-- Numbers that do not count as unread: operations, quiet notices, and what was recalled or erased. Field 'k' of the counters
-- is how many there ever were: without it nothing of a conversation was ever changed, and its readers look no further.
local function add_quiet(conversation, number)
  call('ZADD', 'quiet:' .. conversation, number, number)
  call('HINCRBY', 'meta:' .. conversation, 'k', 1)
end
