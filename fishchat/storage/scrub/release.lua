-- Release the lease of the scrub.
-- args: token
-- reply: OK
-- writes: scrubber

if call('GET', 'scrubber') == args[1] then call('DEL', 'scrubber') end
return 'OK'
