-- Name of an attribute → a function (conversation, account, value) that returns the word of a refusal, or nil. A feature
-- whose messages carry an attribute that the store has to check adds it in its file attribute_<name>.lua.
local CHECKS = {}

-- Why a message may not carry one of its attributes, or nil.
local function refused_attribute(conversation, account, body)
  local attributes = string.match(body, '^%S+ %S+ %S+ [^ ;]*;(%S*)')
  for name, value in string.gmatch(attributes or '', '([^;=]+)=?([^;]*)') do
    local word = CHECKS[name] and CHECKS[name](conversation, account, value)
    if word then return word end
  end
end
