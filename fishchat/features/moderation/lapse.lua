-- Remove some bans or mutes of a topic that have lapsed, because it has as many as it may.
-- args: topic, key ('banned' or 'muted'), cursor ('0' to begin), count
-- reply: cursor for more ('0' at the end)
-- writes: banned:<conversation> muted:<conversation>
--- @include "sanctions"

local topic, which, cursor, count = unpack(args)
local key = which == 'muted' and 'muted:' or 'banned:'
return remove_lapsed(key .. '#' .. topic, cursor, count)
