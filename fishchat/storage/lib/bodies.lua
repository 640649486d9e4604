-- The stored form of a message, 'account device cseq kind[;name=value…] text'; fishchat/model/message.py reads and writes
-- it in Python.

-- Return the part by which duplicates of a device are detected.
local function head_of(body)
  return string.match(body, '^%S+ %S+ %S+ ')
end

local function is_by(body, account)
  return string.sub(body, 1, #account + 1) == account .. ' '
end

-- Return the parts of a stored form: account, device, cseq, form, text.
local function parts_of(body)
  return string.match(body, '^(%S+) (%S+) (%S+) (%S+) (.*)$')
end

local function kind_of(form)
  return string.match(form, '^[^;]*')
end

-- Return the value of an attribute, '' for one without a value, or nil.
local function attribute_of(form, name)
  return string.match(form .. ';', ';' .. name .. '=([^;]*);') or (string.find(form .. ';', ';' .. name .. ';', 1, true) and '' or nil)
end

-- Return the topic to which a notice invites, or nil.
local function invitation_of(body)
  return string.match(body, '^%S+ %S+ %S+ n INVITED (%S+)$')
end
