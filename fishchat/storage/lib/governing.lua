--- @include "append"
--- @include "rights"

-- Changes of a topic by its admins, by its owner, or by the operator, who needs no right. The operator acts with the device
-- '*', which no client can have.

-- Return the refusal of an action, or nil.
local function refused_to(account, device, conversation, action)
  if device ~= '*' then return forbids(account, conversation, action) end
  if call('EXISTS', 'topic:' .. conversation) == 0 then return {'NOTFOUND'} end
end

-- Return the refusal of an action on another account, or nil.
local function refused_on(account, device, conversation, action, other)
  if device ~= '*' then return forbids_on(account, conversation, action, other) end
  local role, exists = role_of(other, conversation)
  if not exists then return {'NOTFOUND'} end
  -- A topic always has an owner who may write in it: the operator makes another account the owner first.
  if role == 'owner' then return {'OWNER'} end
end

-- Return the refusal of a reason that a muted admin gives, or nil: the members would read it.
local function refused_reason(account, device, conversation, reason)
  local restrictions = reason ~= '' and device ~= '*' and call('HGET', 'meta:' .. conversation, 'b')
  local word = restrictions and silenced(conversation, account, restrictions)
  return word and {string.match(word, '^(%S+) ?(.*)$')} or nil
end

-- Return the stored form of a notice.
local function notice_of(account, device, text)
  return account .. ' ' .. device .. ' -1 n ' .. text
end

-- Return the words of a notice, without empty ones at its end.
local function phrase(...)
  return (string.gsub(table.concat({...}, ' '), ' +$', ''))
end
