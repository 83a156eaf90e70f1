-- SPDX-License-Identifier: MIT
-- A leader has left: whoever comes next goes on in its order, without anything being missing.
--
-- KEYS: order, log.  ARGV: leader, term (0: whichever it was given), topic, message, for how long
-- the order is kept (ms), the highest number that was given: with more than Redis has, who comes next
-- gives none of them again.
-- Answers 1; nothing if another one leads.

local leader, term, topic, message, keep, given = unpack(ARGV)
local kept = redis.call('HMGET', KEYS[1], 'leader', 'term', 'given')
if kept[1] ~= leader or (term ~= '0' and kept[2] ~= term) then return '' end
redis.call('HDEL', KEYS[1], 'leader', 'state', 'offer')
if tonumber(given) > tonumber(kept[3] or 0) then redis.call('HSET', KEYS[1], 'given', given) end
if tonumber(keep) > 0 then
  redis.call('PEXPIRE', KEYS[1], keep)
else
  redis.call('DEL', KEYS[1], KEYS[2])
end
redis.call('PUBLISH', topic, message)
return '1'
