-- SPDX-License-Identifier: MIT
-- Joins a channel: who leads it, whether it is ours to lead, and what was published.
--
-- KEYS: order, log.  ARGV: see `layout.claim`.  Answers the frames that `layout.read_claim` reads.
-- All is read before anything is written: what fails here has changed nothing.

local order, log = KEYS[1], KEYS[2]
local me, held, nodes, patience, epoch, seq, seen, minted, topic, live, after, count, bytes,
  place = unpack(ARGV)
seq, seen, count, bytes = tonumber(seq), tonumber(seen), tonumber(count), tonumber(bytes)

local kept = redis.call('HMGET', order,
  'leader', 'term', 'epoch', 'place', 'state', 'offer', 'given', 'block')
local leader, term = kept[1], tonumber(kept[2] or 0)
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
local top = newest and newest[1] or ''

-- Is it ours to lead?
local role
if not kept[3] then
  role = held ~= '' and 'ours' or patience ~= '' and 'wait' or epoch ~= '' and 'failover' or 'first'
elseif leader and (leader == me or leader == held) then
  role = 'ours'
elseif not leader then
  role = patience == 'never' and 'wait' or 'first'
else
  local name, generation = string.match(leader, '^(.*)/(.*)$')
  if name and redis.call('GET', nodes .. name) == generation then
    role = 'follow'
  else
    role = patience ~= '' and 'wait' or 'failover'
  end
end
local takes = role ~= 'follow' and role ~= 'wait'
local begins = not kept[3] and takes
if begins then
  -- Only who has led until now knows all numbers that were given.
  kept[3] = held ~= '' and epoch ~= '' and epoch or minted
  kept[4] = '0 ' .. place
end
local present = kept[3] or ''

-- Numbers may have been given that are not here.  Whoever takes over gives none up to `block`, and
-- leaves that here: whoever comes after it may not have seen any number of its own either.
local block = begins and 0 or tonumber(kept[8] or 0)
if takes and not (role == 'ours' and held ~= '' and epoch == present) then
  local known = tonumber(string.match(kept[4] or '', '^%d+') or 0)
  local highest = math.max(known, block, begins and 0 or tonumber(kept[7] or 0))
  local newest_epoch, newest_seq = string.match(top, '^(%d+)-(%d+)$')
  if newest_epoch == present then highest = math.max(highest, tonumber(newest_seq)) end
  if epoch == present then highest = math.max(highest, seq) end
  if role ~= 'first' or highest > known then
    block = (math.floor(highest / 1048576) + 2) * 1048576
  end
end

-- What was published: after a number, or the last of it.
local found, size = {}, 0
if present ~= '' and count > 0 then
  if after ~= '' and epoch == present then
    for _, entry in ipairs(redis.call('XRANGE', log, present .. '-' .. after,
        present .. '-18446744073709551615', 'COUNT', count)) do
      size = size + #entry[2][2]
      if size > bytes and #found > 0 then break end
      found[#found + 1] = entry[2][2]
    end
  else
    local back = {}
    for _, entry in ipairs(redis.call('XREVRANGE', log, present .. '-18446744073709551615',
        present .. '-0', 'COUNT', count)) do
      size = size + #entry[2][2]
      if size > bytes and #back > 0 then break end
      back[#back + 1] = entry[2][2]
    end
    for index = #back, 1, -1 do found[#found + 1] = back[index] end
  end
end

if takes then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  term = math.max(term + 1, seen + 1, now)
  -- What another order left would stand above everything of this one.
  if begins and top ~= '' and string.match(top, '^(%d+)-') ~= present then
    redis.call('DEL', log)
    top = ''
  end
  redis.call('HSET', order, 'leader', me, 'term', string.format('%.0f', term),
    'epoch', present, 'block', string.format('%.0f', block))
  -- What this leader has published before is not here yet: nobody misses it so far.
  if begins then
    kept[7] = held ~= '' and seq or 0
    redis.call('HSET', order, 'place', kept[4], 'given', kept[7])
  end
  redis.call('HDEL', order, 'offer')
  if role == 'first' then redis.call('HDEL', order, 'state') end
  redis.call('PEXPIRE', order, live)
  redis.call('PUBLISH', topic, cmsgpack.pack({'l', me, string.format('%.0f', term)}))
  leader = me
end

-- What Redis knew before: what it lacks will be sent.
local answer = {role, leader or '', string.format('%.0f', term), present, kept[4] or '0  ',
  kept[5] or '', kept[6] or '', top, tostring(kept[7] or 0),
  string.format('%.0f', block)}
for _, entry in ipairs(found) do answer[#answer + 1] = entry end
for index, frame in ipairs(answer) do answer[index] = struct.pack('>I4', #frame) .. frame end
return table.concat(answer)
