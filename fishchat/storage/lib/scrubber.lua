-- One process at a time scrubs. Every step but the first one is refused without the lease, which a step prolongs.
local function keep_scrubber(token, lease)
  if call('GET', 'scrubber') ~= token then return {'LEASE'} end
  call('SET', 'scrubber', token, 'PX', lease)
end
