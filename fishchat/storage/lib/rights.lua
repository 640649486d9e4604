-- The rights in a topic. send.lua makes the same check in its own, faster way; a test compares the two.

-- Action → the role that it needs. A role is 'owner' or 'member'; owners may do what members may.
local NEEDS = {write = 'member', list = 'member', invite = 'member', leave = 'member', dismiss = 'owner'}

-- Return the role of an account, or nil, and whether there is such a topic.
local function role_of(account, conversation)
  local owner = call('HGET', 'topic:' .. conversation, 'owner')
  if not owner then return nil, false end
  if owner == account then return 'owner', true end
  return call('HEXISTS', 'members:' .. conversation, account) == 1 and 'member' or nil, true
end

-- Return the refusal of an action, or nil.
local function forbids(account, conversation, action)
  local role, exists = role_of(account, conversation)
  if not exists then return {'NOTFOUND'} end
  if NEEDS[action] == 'owner' then return role ~= 'owner' and {'OWNER'} or nil end
  if not role then return {'NOTMEMBER'} end
  -- An owner who left would leave a topic that nobody can dismiss.
  if action == 'leave' and role == 'owner' then return {'OWNER'} end
end
