--- @include "is_server"

-- Return the refusal of a sign-up for its invitation or its name, or nil.
local function refused_sign_up(account, invitation, needed)
  if is_server(account) then return {'BADNAME'} end
  if invitation ~= '' then
    local meant = call('HMGET', 'invitation:' .. invitation, 'uses', 'account')
    if not meant[1] or (meant[2] and meant[2] ~= account) then return {'INVITATION'} end
  elseif needed then
    return {'INVITATION'}
  end
  -- The name of a deleted account stays taken, so that another person cannot get it.
  if call('EXISTS', 'account:' .. account) == 1 then return {'EXISTS'} end
end
