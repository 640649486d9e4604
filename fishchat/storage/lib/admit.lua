--- @include "deleted"
--- @include "positions"
--- @include "spans"
--- @include "sanctions"
--- @include "whole"
--- @include "append"
--- @include "notices"
--- @include "requests"

-- Every way into a topic leads through these functions: an open topic, an invitation, a link, an accepted request.

-- Return the refusal of an account that no way leads into this topic, or nil.
local function barred(account, conversation)
  if is_deleted(account) then return {'NOTFOUND'} end
  if sanction_of('banned:' .. conversation, account) then return {'BANNED'} end
end

-- Return the reply for an account that is a member already, or nil.
local function is_in(account, conversation)
  local after = call('HGET', 'members:' .. conversation, account)
  return after and {'OK', tonumber(call('HGET', 'meta:' .. conversation, 'v')), after, {}}
end

-- Make an account a member. The first members of a topic are notified of each other: `most_notified` are so many.
-- Return the reply of the script: membership version, position after which the member is pushed messages, notices.
local function admit(place, topic, account, by, device, most_members, most_topics, most_notified)
  local conversation = '#' .. topic
  local members = call('HLEN', 'members:' .. conversation)
  if members >= most_members then return {'FULL', most_members} end
  if call('SCARD', 'topics:' .. account) >= most_topics then return {'FULL', most_topics} end
  local after = last_of(conversation)
  local found = call('HMGET', 'topic:' .. conversation, 'history', 'since', 'owner')
  call('HSET', 'members:' .. conversation, account, after)
  call('SADD', 'topics:' .. account, topic)
  call('SREM', 'invited:' .. conversation, account)
  forget_request(topic, account)
  if found[1] == 'all' then
    -- A topic that an earlier version created did not record its beginning: its owner saw it from there, or later.
    open_whole(account, conversation, found[2] or call('HGET', 'members:' .. conversation, found[3]) or after, after)
  else
    open_span(account, conversation, after)
  end
  local version, notices = call('HINCRBY', 'meta:' .. conversation, 'v', 1), {}
  if members < most_notified then
    local server, incarnation, epoch, stream = unpack(place)
    local body = notice_by(by, device, 'JOINED ' .. account)
    notices[1] = append(server, incarnation, epoch, stream, conversation, body, true)
  end
  return {'OK', version, after, notices}
end
