-- SPDX-License-Identifier: MIT
-- Publishes for many channels, in order: what was published, and states.
--
-- KEYS: order and log of each part.  ARGV: see `layout.publication_call`.
-- Answers one character for each part: 1 done or known already, 0 another one leads, x the keys of
-- this channel cannot be used.

local size, keep, live = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local answer = {}
for part = 1, #KEYS / 2 do
  local order, log = KEYS[2 * part - 1], KEYS[2 * part]
  local topic, leader, term, id, seq, latest, room, state, message = unpack(
    ARGV, 9 * part - 5, 9 * part + 3)
  local kept = redis.pcall('HMGET', order, 'leader', 'term')
  local done = '0'
  if kept.err then
    done = 'x'
  elseif kept[1] == leader and kept[2] == term then
    done = '1'
    local is_new = true
    if id ~= '' then
      if size > 0 then
        local added = redis.pcall('XADD', log, 'MAXLEN', '~', size, id, 'd', message)
        if type(added) == 'table' and added.err then
          is_new = false
          if not string.find(added.err, 'equal or smaller') then done = 'x' end
        else
          redis.call('PEXPIRE', log, keep)
        end
      end
      if is_new then redis.call('HSET', order, 'seq', seq, 'until', latest, 'room', room) end
    elseif state == '' then
      redis.call('HDEL', order, 'state')
    else
      redis.call('HSET', order, 'state', state, 'until', latest)
    end
    if is_new then
      redis.call('PEXPIRE', order, live)
      redis.call('PUBLISH', topic, message)
    end
  end
  answer[part] = done
end
return table.concat(answer)
