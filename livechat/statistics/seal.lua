-- SPDX-License-Identifier: MIT
-- Another node leads the channel: what its former leader counts up to a number is taken no more.
--
-- KEYS: totals.  ARGV: epoch, number, lifetime (s).  Answers up to which place everything that was
-- published is counted, as epoch and number; nothing where that is not known.

local found = redis.call('TYPE', KEYS[1])['ok']
if found ~= 'none' and found ~= 'hash' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[1] .. ' is a ' .. found .. ', not ours')
end
local place = redis.call('HGET', KEYS[1], 'place') or ''
redis.call('HSET', KEYS[1], 'sealed', ARGV[1] .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return place
