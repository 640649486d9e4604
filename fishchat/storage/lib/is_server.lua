-- Return whether a name is the one that notices have for the server and its operator. Accounts of earlier versions may have
-- it, new ones may not.
local function is_server(name)
  return name == '-'
end
