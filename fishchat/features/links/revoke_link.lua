-- Revoke a link of a topic, or all of them.
-- args: server, incarnation, epoch, account, topic, which (a fingerprint or its beginning; '' for all)
-- reply: OK, links revoked
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, NOTMEMBER, RIGHTS <needs>
-- writes: link:<fingerprint> links:<conversation>
--- @include "fence"
--- @include "rights"
--- @include "links"

local server, incarnation, epoch, account, topic, which = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
refused = forbids(account, conversation, 'admit')
if refused then return refused end
local revoked = 0
for _, fingerprint in ipairs(call('SMEMBERS', 'links:' .. conversation)) do
  if string.sub(fingerprint, 1, #which) == which then
    if link_of(fingerprint) then revoked = revoked + 1 end
    remove_link(conversation, fingerprint)
  end
end
if revoked == 0 and which ~= '' then return {'NOTFOUND'} end
return {'OK', revoked}
