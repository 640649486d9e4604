-- List the topics of an account.
-- args: account
-- reply: packed (flat: topic, owner, kind, number of members)

local out = {}
for _, topic in ipairs(call('SMEMBERS', 'topics:' .. args[1])) do
  local found = call('HMGET', 'topic:#' .. topic, 'owner', 'kind')
  if found[1] then
    local o = #out
    out[o + 1], out[o + 2], out[o + 3], out[o + 4] = topic, found[1], found[2], call('HLEN', 'members:#' .. topic)
  end
end
return cmsgpack.pack(out)
