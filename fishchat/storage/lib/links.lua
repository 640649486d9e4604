--- @include "clock"

-- A link is the hash 'link:<fingerprint>'; 'links:<conversation>' holds the fingerprints of a topic's links.

-- An ended link stays for a day, so that a clock that is ahead for a moment removes none that is still good.
local KEPT = 86400000

-- Return topic, creator, end, uses left ('' for any number) and approval ('1' or '') of a link that is good; nil for any
-- other: it was never there, is used up, was revoked or has ended, or its topic has ended, perhaps for one of the same name.
local function link_of(fingerprint)
  local link = call('HMGET', 'link:' .. fingerprint, 'topic', 'created', 'by', 'until', 'left', 'approval')
  if not link[1] or tonumber(link[4]) <= milliseconds() then return nil end
  if call('HGET', 'topic:#' .. link[1], 'created') ~= link[2] then return nil end
  return link[1], link[3], link[4], link[5], link[6]
end

local function remove_link(conversation, fingerprint)
  call('DEL', 'link:' .. fingerprint)
  call('SREM', 'links:' .. conversation, fingerprint)
end

local function remove_ended(conversation)
  for _, fingerprint in ipairs(call('SMEMBERS', 'links:' .. conversation)) do
    if not link_of(fingerprint) then remove_link(conversation, fingerprint) end
  end
end

-- Take note that a link was used.
local function use_link(conversation, fingerprint, left)
  if left == '' then return end
  if call('HINCRBY', 'link:' .. fingerprint, 'left', -1) <= 0 then remove_link(conversation, fingerprint) end
end
