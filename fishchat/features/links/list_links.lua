-- List the links of a topic that are good, for an admin of it.
-- args: account, topic
-- reply: OK, packed (flat: fingerprint, creator, uses left or '', end (ms), '1' if it leads to a request)
-- refuses: NOTFOUND, NOTMEMBER, RIGHTS <needs>
--- @include "rights"
--- @include "links"

local account, topic = unpack(args)
local conversation = '#' .. topic
local refused = forbids(account, conversation, 'admit')
if refused then return refused end
local out = {}
for _, fingerprint in ipairs(call('SMEMBERS', 'links:' .. conversation)) do
  local found, by, till, left, approval = link_of(fingerprint)
  if found then
    local o = #out
    out[o + 1], out[o + 2], out[o + 3], out[o + 4], out[o + 5] = fingerprint, by, left, tonumber(till), approval
  end
end
return {'OK', cmsgpack.pack(out)}
