-- Read one message, as history shows it.
-- args: account, conversation, position
-- reply: OK, time in ms, body
-- refuses: NOTFOUND, GONE
--- @include "visible"

local account, conversation, at = unpack(args)
local entry, state, word, may_see = visible(account, conversation, at)
if word then return {word} end
if state.recalled then return {'OK', entry[2][2], entry[2][4]} end
return {'OK', entry[2][2], shown_body(conversation, at, entry[2][4], state, account, pins_of(conversation), may_see)}
