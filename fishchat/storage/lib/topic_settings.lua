-- The settings of a topic, in the order in which they are listed: name, its value where it was never set ('' for none), and
-- the action of lib/rights.lua by which it is changed. fishchat/features/moderation/settings.py checks the values.
local TOPIC_SETTINGS = {
  {'name', '', 'describe'},
  {'about', '', 'describe'},
  {'announcement', '', 'describe'},
  {'kind', 'open', 'govern'},
  {'write', 'all', 'describe'},
  {'slow', '0', 'describe'},
  {'history', 'joined', 'govern'},
  {'listed', 'no', 'describe'},
  {'invite', 'all', 'govern'},
  {'all', 'admins', 'govern'},
  {'react', 'all', 'describe'},
}

-- Return the names and values of all settings of a topic, in their order.
local function topic_settings(conversation)
  local found = {}
  for i, setting in ipairs(TOPIC_SETTINGS) do
    found[i] = {setting[1], call('HGET', 'topic:' .. conversation, setting[1]) or setting[2]}
  end
  return found
end

-- Return the value of a setting where it was never set, and the action by which it is changed.
local function topic_setting(name)
  for _, setting in ipairs(TOPIC_SETTINGS) do
    if setting[1] == name then return setting[2], setting[3] end
  end
end
