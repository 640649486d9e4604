--- @include "restrictions"

-- The rights in a topic. send.lua asks the same questions in its own, faster order; a test compares the two.

-- Action → the role that it needs. An admin may do what members may, the owner everything.
local NEEDS = {
  write = 'member', list = 'member', invite = 'member', leave = 'member', react = 'member',
  mention_all = 'admin', pin = 'admin', recall = 'admin', mute = 'admin', kick = 'admin', ban = 'admin',
  link = 'admin', admit = 'admin', describe = 'admin',
  govern = 'owner', appoint = 'owner', transfer = 'owner', dismiss = 'owner',
}
-- Actions of the first version, which refuse with the word OWNER.
local OLD = {leave = true, dismiss = true}
-- Actions that speak to the members: a mute closes them.
local SPEAKS = {react = true, mention_all = true, pin = true, link = true, invite = true, describe = true}
-- Setting of a topic that decides who may do something: action → setting.
local SETTINGS = {invite = 'invite', react = 'react', mention_all = 'all'}
local RANKS = {member = 1, admin = 2, owner = 3}

-- Return the role of an account ('owner', 'admin' or 'member'), or nil, and whether there is such a topic.
local function role_of(account, conversation)
  local owner = call('HGET', 'topic:' .. conversation, 'owner')
  if not owner then return nil, false end
  if owner == account then return 'owner', true end
  if call('HEXISTS', 'members:' .. conversation, account) == 0 then return nil, true end
  return call('HEXISTS', 'admins:' .. conversation, account) == 1 and 'admin' or 'member', true
end

-- Return the role that an action needs in a topic with these settings.
local function needed_for(action, conversation)
  local setting = SETTINGS[action] and call('HGET', 'topic:' .. conversation, SETTINGS[action])
  if setting == 'all' then return 'member' end
  if setting == 'admins' then return 'admin' end
  if setting == 'off' then return 'nobody' end
  return NEEDS[action]
end

-- Return the refusal of an action, or nil.
local function forbids(account, conversation, action)
  local role, exists = role_of(account, conversation)
  if not exists then return {'NOTFOUND'} end
  local needed = needed_for(action, conversation)
  if OLD[action] and needed == 'owner' then return role ~= 'owner' and {'OWNER'} or nil end
  if not role then return {'NOTMEMBER'} end
  -- An owner who left would leave a topic that nobody can dismiss.
  if action == 'leave' and role == 'owner' then return {'OWNER'} end
  if (RANKS[needed] or 4) > RANKS[role] then return {'RIGHTS', 'needs=' .. needed} end
  local restrictions = call('HGET', 'meta:' .. conversation, 'b')
  if not restrictions then return end
  local word
  if action == 'write' then
    word = unwritable(conversation, account, restrictions)
  elseif SPEAKS[action] then
    word = silenced(conversation, account, restrictions)
  end
  return word and {string.match(word, '^(%S+) ?(.*)$')} or nil
end

-- Return the refusal of an action on another account, or nil: nobody acts on an equal or a higher role. The other one need
-- not be a member.
local function forbids_on(account, conversation, action, other)
  local refused = forbids(account, conversation, action)
  if refused then return refused end
  local role = role_of(other, conversation)
  if role and RANKS[role] >= RANKS[role_of(account, conversation)] then
    -- The messages of the owner may be recalled by the owner; nobody does anything else to the owner.
    local is_spared = role == 'owner' and action ~= 'recall'
    return {'RIGHTS', 'needs=' .. (is_spared and 'nobody' or role == 'member' and 'admin' or 'owner')}
  end
end
