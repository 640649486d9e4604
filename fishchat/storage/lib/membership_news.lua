-- Let the msg_servers read the members of a topic again, and the place of an account in it at once: for changes that no
-- msg_server makes.
local function publish_membership(topic, account)
  call('PUBLISH', '/sysctrl/topic-sync', cjson.encode({topics = {topic}, accounts = {[topic] = {account}}}))
end
