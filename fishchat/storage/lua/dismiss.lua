-- Ends a topic: a last notice in it, then nobody is a member; everybody keeps what was said until now.
-- args: server, incarnation, epoch, account, topic, stream, body of the notice.
-- Gives {'OK', conversation, epoch, number, body, membership version} of the notice or {'WORD'}.
local server, incarnation, epoch, account, topic, stream, body = unpack(args)
local refused = fence(server, incarnation, epoch)
if refused then return refused end
local conversation = '#' .. topic
local owner = call('HGET', 'topic:' .. conversation, 'owner')
if not owner then return {'NOTFOUND'} end
if owner ~= account then return {'OWNER'} end
local version = tonumber(call('HGET', 'meta:' .. conversation, 'v'))
local n = append(conversation, epoch, body)
local names = call('HKEYS', 'servers')
tell_router(server, incarnation, epoch, stream, table.concat(names, ' '), conversation, n, version, body)
for _, member in ipairs(call('HKEYS', 'members:' .. conversation)) do
  close_span(member, conversation, epoch .. '-' .. n)
  call('SREM', 'topics:' .. member, topic)
end
call('DEL', 'members:' .. conversation, 'topic:' .. conversation, 'invited:' .. conversation)
call('HINCRBY', 'meta:' .. conversation, 'v', 1)
return {'OK', conversation, tonumber(epoch), n, body, version}
