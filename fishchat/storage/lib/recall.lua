--- @include "fold"
--- @include "limits"
--- @include "mentions"
--- @include "rights"
--- @include "erased"
--- @include "erased_edits"

local recall = {}

function recall.refused(op, state, limits, now)
  if erasable <= 0 then return 'TRYAGAIN' end
  local is_own = op.message.author == op.account
  local late = is_own and too_late(op, limits[2], now)
  if is_own and not late then return end
  if not state.is_topic then return late or 'RIGHTS needs=author' end
  -- Admins recall at any time: the messages of accounts below them, and their own.
  if is_own then return forbids(op.account, op.conversation, 'recall') and late or nil end
  local refused = forbids_on(op.account, op.conversation, 'recall', op.message.author)
  return refused and table.concat(refused, ' ') or nil
end

function recall.done(op, _, at)
  local is_topic, number, body = string.sub(op.conversation, 1, 1) == '#', op.message.number, op.message.body
  call('XDEL', 'log:' .. op.conversation, op.of)
  if is_topic then forget_mentions(op.conversation, number, body) end
  for _, edit in ipairs(erased_edits(op.conversation, op.state)) do
    if is_topic then forget_mentions(op.conversation, select(2, position(edit[1])), edit[2][4]) end
  end
  call('UNLINK', 'react:' .. op.conversation .. ':' .. number)
  call('HDEL', 'pins:' .. op.conversation, op.of)
  call('ZADD', 'quiet:' .. op.conversation, number, number)
  local epoch = string.match(op.of, '^%d+')
  bury(op.conversation, number, epoch, at, op.account, op.message.time, body)
  op.message.body, op.message.state = nil, amended(op.conversation, number)
  note_erased(op.conversation, op.of)
end
