-- Change a setting of a topic, and store a notice of it.
-- args: server, incarnation, epoch, stream, account, device ('*' for the operator), topic, setting, value ('' for none)
-- reply: OK, conversation, epoch, number, body, membership version, time (of the notice); OK alone if it was so before
-- refuses: LEASE, EPOCH <epoch>, TRYAGAIN, NOTFOUND, NOTMEMBER, RIGHTS <needs>, MUTED <until>
-- writes: topic:<conversation> slow:<conversation> directory log:<conversation> meta:<conversation> quiet:<conversation>
--   count:<stream> /sysctrl/send
--- @include "fence"
--- @include "enabled"
--- @include "governing"
--- @include "topic_settings"

local server, incarnation, epoch, stream, account, device, topic, setting, value = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
if not enabled('moderation') then return {'TRYAGAIN'} end
local conversation = '#' .. topic
local usual, action = topic_setting(setting)
refused = refused_to(account, device, conversation, action)
if refused then return refused end
if value == (call('HGET', 'topic:' .. conversation, setting) or usual) then return {'OK'} end
if value == '' then
  call('HDEL', 'topic:' .. conversation, setting)
else
  call('HSET', 'topic:' .. conversation, setting, value)
end
if setting == 'write' or setting == 'slow' then set_restrictions(conversation) end
if setting == 'slow' and value == '0' then call('UNLINK', 'slow:' .. conversation) end
if setting == 'listed' and value == 'yes' then call('ZADD', 'directory', 0, topic) end
if setting == 'listed' and value == 'no' then call('ZREM', 'directory', topic) end
local notice = notice_of(account, device, phrase('SET', setting, value == '' and '-' or value))
-- An announcement is for everybody; the other changes must not make the topic look unread.
local is_news = setting == 'announcement' and value ~= ''
local told = append(server, incarnation, epoch, stream, conversation, notice, not is_news)
-- Its author has read it, as the author of a message has.
if is_news and device ~= '*' then call('HSET', 'meta:' .. conversation, 'r:' .. account, told[4]) end
return told
