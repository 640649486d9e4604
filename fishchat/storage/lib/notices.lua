-- Return the stored form of a notice that a device causes.
local function notice_by(account, device, text)
  return account .. ' ' .. device .. ' -1 n ' .. text
end
