-- Name of an attribute → a function (conversation, account, value) that returns the word of a refusal, or nil. A feature
-- adds the check of its attribute in its file attribute_<name>.lua.
local CHECKS = {}

-- Return the refusal of a message for one of its attributes, or nil.
local function refused_attribute(conversation, account, body)
  local attributes = string.match(body, '^%S+ %S+ %S+ [^ ;]*;(%S*)')
  for name, value in string.gmatch(attributes or '', '([^;=]+)=?([^;]*)') do
    local word = CHECKS[name] and CHECKS[name](conversation, account, value)
    if word then return word end
  end
end
