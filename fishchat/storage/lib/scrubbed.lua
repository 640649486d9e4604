-- Return what a scrub keeps of a stored body at this position. A text that was replaced for ever would be replaced here.
local function scrubbed_body(conversation, position, body)
  return body
end
