-- SPDX-License-Identifier: MIT
-- A leader wants to go, or goes on after all.
--
-- KEYS: order.  ARGV: leader, term, topic, whether it wants to go (1 or nothing), message.
-- Answers how many hear it; nothing if another one leads.

local leader, term, topic, wants, message = unpack(ARGV)
local kept = redis.call('HMGET', KEYS[1], 'leader', 'term')
if kept[1] ~= leader or kept[2] ~= term then return '' end
if wants == '' then
  redis.call('HDEL', KEYS[1], 'offer')
else
  redis.call('HSET', KEYS[1], 'offer', wants)
end
return tostring(redis.call('PUBLISH', topic, message))
