-- List listed topics by name.
-- args: from (where the names begin, as Redis writes it in ZRANGEBYLEX), upto (where they end), most
-- reply: packed (flat: topic, kind, members, title or '')

-- A server of an earlier version leaves the entry of a topic that it dismissed.

local from, upto, most = unpack(args)
local out, found = {}, 0
for _ = 1, 5 do
  local names = call('ZRANGEBYLEX', 'directory', from, upto, 'LIMIT', 0, most)
  for _, topic in ipairs(names) do
    local topic_found = call('HMGET', 'topic:#' .. topic, 'kind', 'name', 'listed')
    if found < most and topic_found[1] and topic_found[3] == 'yes' then
      local o = #out
      out[o + 1], out[o + 2], out[o + 3] = topic, topic_found[1], call('HLEN', 'members:#' .. topic)
      out[o + 4] = topic_found[2] or ''
      found = found + 1
    end
  end
  if #names < most or found >= most then break end
  from = '(' .. names[#names]
end
return cmsgpack.pack(out)
