-- Whether there is such a topic. args: topic. Gives 1 or 0.
return call('EXISTS', 'topic:#' .. args[1])
