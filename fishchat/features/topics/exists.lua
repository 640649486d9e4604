-- Return whether a topic exists.
-- args: topic
-- reply: 1 or 0

return call('EXISTS', 'topic:#' .. args[1])
