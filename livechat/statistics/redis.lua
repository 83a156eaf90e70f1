-- SPDX-License-Identifier: MIT
-- Adds a batch, and answers what is stored.  Needs Redis 5 or newer.
--
-- Nothing is written before the types of all keys were looked at, and the number of the batch is
-- written first: whatever fails after that, the batch is never counted twice.  See redis_layout.py
-- for the keys, the request and the reply.

local types = {'hash', 'zset', 'hash', 'hash', 'string', 'string'}
for index, key in ipairs(KEYS) do
  local found = redis.call('TYPE', key)['ok']
  if found ~= 'none' and found ~= types[index] then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. found .. ', not ours')
  end
end
local totals, users, profiles, minutes, uniques, writer = unpack(KEYS)
local number, instead, expected, bound, named, ttl, span, ears, topic, batch =
  unpack(cmsgpack.unpack(ARGV[1]), 1, 10)

local function stored()
  return tonumber(redis.call('HGET', totals, 'total') or 0)
end

local function answer(outcome)
  local reply = {outcome, stored(), redis.call('ZCARD', users)}
  if named > 0 then
    local ranked = redis.call('ZREVRANGE', users, 0, named - 1, 'WITHSCORES')
    local found = {}
    for start = 1, #ranked, 2000 do
      local ids = {}
      for index = start, math.min(start + 1999, #ranked), 2 do
        ids[#ids + 1] = ranked[index]
      end
      for _, profile in ipairs(redis.call('HMGET', profiles, unpack(ids))) do
        found[#found + 1] = profile or ''
      end
    end
    reply[4] = redis.call('HGETALL', totals)
    reply[5] = ranked
    reply[6] = found
    reply[7] = redis.call('HGETALL', minutes)
    reply[8] = redis.call('GET', uniques) or ''
  end
  return cmsgpack.pack(reply)
end

if batch and tonumber(redis.call('GET', writer) or 0) >= number then return answer('done') end
local behind = stored() < expected
if instead and not behind then return answer('present') end
if behind and not instead then return answer('behind') end
if not batch then return answer('done') end

redis.call('SET', writer, number, 'EX', ttl)
-- Another node leads since then, and has counted what was published.
if not instead and batch.epoch ~= '' then
  local epoch, sealed = string.match(redis.call('HGET', totals, 'sealed') or '', '^(%S+) (%d+)$')
  if epoch == batch.epoch and batch.since < tonumber(sealed) then return answer('done') end
end
if instead then redis.call('DEL', totals, users, profiles, minutes, uniques) end

local function raise(field, value)
  if value > tonumber(redis.call('HGET', totals, field) or 0) then
    redis.call('HSET', totals, field, value)
  end
end

redis.call('HINCRBY', totals, 'total', batch.total)
if batch.error > 0 then redis.call('HINCRBY', totals, 'error', batch.error) end
raise('peak', batch.peak)
if batch.first ~= '' then
  local first = redis.call('HGET', totals, 'first')
  if not first or batch.first < first then redis.call('HSET', totals, 'first', batch.first) end
  local last = redis.call('HGET', totals, 'last')
  if not last or batch.last > last then redis.call('HSET', totals, 'last', batch.last) end
end
if batch.epoch ~= '' then
  local epoch, counted = string.match(redis.call('HGET', totals, 'place') or '', '^(%S+) (%d+)$')
  if epoch ~= batch.epoch or batch.to > tonumber(counted) then
    redis.call('HSET', totals, 'place', batch.epoch .. ' ' .. string.format('%.0f', batch.to))
  end
end
for _, event in ipairs(batch.events) do
  redis.call('HINCRBY', totals, 'event:' .. event[1], event[2])
end
for _, money in ipairs(batch.money) do
  redis.pcall('HINCRBY', totals, 'money:' .. money[1], money[2])
end

local held = redis.call('ZCARD', users)
for _, user in ipairs(batch.users) do
  local id, count = user[1], user[2]
  if held >= bound and not redis.call('ZSCORE', users, id) then
    local least = redis.call('ZPOPMIN', users)
    redis.call('HDEL', profiles, least[1])
    raise('error', tonumber(least[2]))
    redis.call('ZADD', users, count + tonumber(least[2]), id)
  elseif tonumber(redis.call('ZINCRBY', users, count, id)) == count then
    held = held + 1
  end
  redis.call('HSET', profiles, id, user[3])
end

local newest = 0
for _, minute in ipairs(batch.minutes) do
  newest = math.max(newest, minute[1])
  raise('peak', redis.call('HINCRBY', minutes, minute[1], minute[2]))
end
if newest > 0 and redis.call('HLEN', minutes) > span then
  for _, minute in ipairs(redis.call('HKEYS', minutes)) do
    local number_of = tonumber(minute)
    if number_of <= newest - span or number_of > newest + 1 then
      redis.call('HDEL', minutes, minute)
    end
  end
end

for _, register in ipairs(batch.registers) do
  local old = redis.call('GETRANGE', uniques, register[1], register[1])
  if old == '' or string.byte(old) < register[2] then
    redis.call('SETRANGE', uniques, register[1], string.char(register[2]))
  end
end

for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
local listening = redis.pcall('PUBSUB', 'NUMSUB', topic)
-- It is no news to the one who has written.
if not listening[2] or tonumber(listening[2]) > ears then redis.pcall('PUBLISH', topic, writer) end
return answer('done')
