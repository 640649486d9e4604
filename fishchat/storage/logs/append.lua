-- Store a message for a role that holds a lease: every device of every reader receives it.
-- args: server, incarnation, epoch, stream, conversation, account, form (kind and attributes), text
-- reply: OK, conversation, epoch, number, body, membership version, time
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, NOTMEMBER, BLOCKED
-- writes: log:<conversation> meta:<conversation> talks:<account> count:<stream> /sysctrl/send quiet:<conversation>
--- @include "fence"
--- @include "names"
--- @include "rights"
--- @include "spans"
--- @include "shut"
--- @include "unreachable"
--- @include "append"

-- The sender's device is '*', which is no valid name for a client. A notice needs no right: it comes from the server. But in
-- a conversation of two its account, too, is one of the two.

local function exists(name)
  return call('HEXISTS', 'account:' .. name, 'created') == 1
end

local server, incarnation, epoch, stream, conversation, account, form, text = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local mark, is_notice = string.sub(conversation, 1, 1), string.match(form, '^[^;]*') == 'n'
if mark == '#' then
  if is_notice then
    if call('EXISTS', 'topic:' .. conversation) == 0 then return {'NOTFOUND'} end
  else
    refused = forbids(account, conversation, 'write')
    if refused then return refused end
  end
elseif mark == '@' then
  local reader = string.sub(conversation, 2)
  if not exists(reader) then return {'NOTFOUND'} end
  open_span(reader, conversation, '0-0')
else
  local one, other = string.match(conversation, '^([^+]+)%+([^+]+)$')
  if not one or p2p(one, other) ~= conversation or (account ~= one and account ~= other) then return {'NOTFOUND'} end
  local peer = one == account and other or one
  local meta = call('HMGET', 'meta:' .. conversation, 'n', 'b')
  local word
  if is_notice then
    if not meta[1] and not (exists(account) and exists(peer)) then word = 'NOTFOUND' end
  elseif meta[1] then
    word = shut(meta[2], account)
  else
    word = unreachable(account, peer)
  end
  if word then return {word} end
  if not meta[1] then
    open_span(peer, conversation, '0-0')
    if account ~= peer then open_span(account, conversation, '0-0') end
  end
end
return append(server, incarnation, epoch, stream, conversation, account .. ' * -1 ' .. form .. ' ' .. text)
