-- Set one setting of a conversation for an account, and notify the account's other devices.
-- args: server, incarnation, epoch, stream, account, conversation, setting, value ('' for no remark), most (conversations
--   with settings), body (of the notice)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice); OK alone if nothing changed
-- refuses: LEASE, EPOCH <epoch>, NOTFOUND, FULL <limit>
-- writes: prefs:<account> talks:<account> log:<conversation> meta:<conversation> quiet:<conversation> count:<stream>
--   /sysctrl/send
--- @include "fence"
--- @include "deleted"
--- @include "conversation_settings"
--- @include "spans"
--- @include "append"

local server, incarnation, epoch, stream, account, conversation, setting, value, most, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if is_deleted(account) or call('HEXISTS', 'talks:' .. account, conversation) == 0 then return {'NOTFOUND'} end

local key = 'prefs:' .. account
local before = call('HGET', key, conversation) or ''
local notify, ends, marks, remark = settings_in(before ~= '' and before or nil)
local flags = {pinned = string.find(marks, 'p', 1, true) ~= nil, archived = string.find(marks, 'a', 1, true) ~= nil}
if setting == 'notify' then
  notify = value
  -- The next setting must not end at a time that belonged to this one.
  if value == 'all' then ends = '0' end
elseif setting == 'until' then
  ends = value
elseif setting == 'remark' then
  remark = value
else
  flags[setting] = value == 'yes'
end
marks = (flags.pinned and 'p' or '') .. (flags.archived and 'a' or '')
local after = settings_as(notify, ends, marks == '' and '-' or marks, remark)
if after == before then return {'OK'} end
if after == '' then
  call('HDEL', key, conversation)
else
  if before == '' and call('HLEN', key) >= most then return {'FULL', most} end
  call('HSET', key, conversation, after)
end
open_span(account, '@' .. account, '0-0')
return append(server, incarnation, epoch, stream, '@' .. account, body, true)
