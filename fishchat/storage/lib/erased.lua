--- @include "clock"

-- Redis keeps the bytes of an erased entry in memory and in its files until the stream is copied: see scrub/copy. Until
-- then the conversation is in 'unscrubbed'. A copy that was begun before this erasure starts over.
local function mark_unscrubbed(conversation)
  call('SADD', 'unscrubbed', conversation)
end

-- The stream of the reports is no conversation. While it waits, its name is in the same set.
local function mark_reports()
  mark_unscrubbed('reports')
end

-- Ids alone, so that a restored backup can be made to forget what was erased after it.
local function record_erasure(what)
  call('ZADD', 'erasures', 'NX', milliseconds(), what)
  local excess = call('ZCARD', 'erasures') - 100000
  if excess > 0 then call('ZREMRANGEBYRANK', 'erasures', 0, excess - 1) end
end

-- Note that a message was erased. Every script that erases one calls this in the same step.
local function note_erased(conversation, position)
  mark_unscrubbed(conversation)
  record_erasure(conversation .. ':' .. position)
end

-- Note that the text of a message was replaced for ever by an edit. The record names the edit, too: a restored store with
-- this edit or a later one has not the text that was erased. It takes the place of the record of the edit before.
local function note_replaced(conversation, of, before, edit)
  mark_unscrubbed(conversation)
  local id = conversation .. ':' .. of
  call('ZREM', 'erasures', id .. ' ' .. before)
  record_erasure(id .. ' ' .. edit)
end

-- Note that everything that an account wrote is being erased: one record instead of one for each message. The script that
-- erases the messages marks their conversations.
local function note_account_erased(account)
  record_erasure(account)
end
