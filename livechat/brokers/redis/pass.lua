-- SPDX-License-Identifier: MIT
-- Hands a channel over to a node that is ready for it.
--
-- KEYS: order.  ARGV: leader, term, topic, the beginning of the keys of nodes, heir, lifetime.
-- The heir is told up to which number it gives none: its leader may have published nothing so far.
-- Answers the new term; nothing if another one leads, `gone` if the heir does not live any more.

local leader, term, topic, nodes, heir, live = unpack(ARGV)
local kept = redis.call('HMGET', KEYS[1], 'leader', 'term', 'block')
if kept[1] ~= leader or kept[2] ~= term then return '' end
local name, generation = string.match(heir, '^(.*)/(.*)$')
if not name or redis.call('GET', nodes .. name) ~= generation then return 'gone' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local new = string.format('%.0f', math.max(tonumber(term) + 1, now))
redis.call('HSET', KEYS[1], 'leader', heir, 'term', new)
redis.call('HDEL', KEYS[1], 'offer')
redis.call('PEXPIRE', KEYS[1], live)
redis.call('PUBLISH', topic, cmsgpack.pack({'l', heir, new, kept[3] or '0'}))
return new
