-- Copy entries of a stream to a new key. With the last of them the copy takes the place of the stream, in the same step.
-- args: token, lease (ms), what (log or ops of the conversation, or the name of a stream that is of none), conversation (''
--   for such a stream), after (position of the last copied entry, '' to begin), count (entries to copy), bytes (to copy),
--   replaced (whether texts that were replaced by edits are kept)
-- reply: OK, position to go on after or '', entries copied
-- refuses: LEASE, AGAIN
-- writes: scrubber scrub:<log> log:<conversation> ops:<conversation> reports /sysctrl/send
--- @include "scrubber"
--- @include "scrubbed"

-- A stream only grows at its end, and loses entries anywhere. So a copy of everything that was there, together with what was
-- added, is the stream itself if both have the same length. If not, AGAIN: something was removed since the beginning.

local token, lease, what, conversation, after, count, bytes, replaced = unpack(args)
local refused = keep_scrubber(token, lease)
if refused then return refused end
local beginning = ({log = 'log:', ops = 'ops:'})[what]
local stream = beginning and beginning .. conversation or what
local copy = 'scrub:' .. stream

-- A Redis with deleted entries at the end of a stream must still not assign their ids twice.
local function last_id()
  local found = call('XINFO', 'STREAM', stream)
  for i = 1, #found, 2 do
    if found[i] == 'last-generated-id' then return found[i + 1] end
  end
end

local function again()
  call('UNLINK', copy)
  return {'AGAIN'}
end

if beginning and call('SISMEMBER', 'unscrubbed', conversation) == 1 then return again() end
if after == '' then call('UNLINK', copy) end
-- A batch of the router may have 260 KB, a message a few.
local page_size = beginning and 20 or 4
local copied, size, has_ended = 0, 0, false
while not has_ended and copied < count and size < bytes do
  local page = call('XRANGE', stream, after == '' and '-' or '(' .. after, '+', 'COUNT', page_size)
  for _, entry in ipairs(page) do
    local fields = entry[2]
    for i = 2, #fields, 2 do
      if what == 'log' and fields[i - 1] == 'm' then
        fields[i] = scrubbed_body(conversation, entry[1], fields[i], replaced)
      end
      size = size + #fields[i]
    end
    call('XADD', copy, entry[1], unpack(fields))
    after = entry[1]
  end
  copied = copied + #page
  has_ended = #page < page_size
end
if not has_ended then return {'OK', after, copied} end

local length = call('XLEN', stream)
if call('XLEN', copy) ~= length then return again() end
if length == 0 then
  call('UNLINK', stream)
  return {'OK', '', copied}
end
local last = last_id()
-- Not by RENAME alone: Redis would free a long stream within this step.
call('UNLINK', stream)
call('RENAME', copy, stream)
if last ~= after then call('XSETID', stream, last) end
return {'OK', '', copied}
