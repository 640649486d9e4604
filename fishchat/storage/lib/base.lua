-- The beginning of every script. ARGV[1] is one MessagePack array: one packed argument costs less than many.
-- Keys are built in the scripts and in these includes; doc/store.md lists them all.
local call = redis.call
local args = cmsgpack.unpack(ARGV[1])
