-- SPDX-License-Identifier: MIT
-- Publishes for many channels, in order: what was published, and states.
--
-- KEYS: order and log of each part.  ARGV: entries of a log, its lifetime (ms), that of an order
-- (ms); then of each part what `queue.Part` says.
-- Answers one character for each part: 1 done or known already, 0 another one leads, x the keys of
-- this channel cannot be used.
-- A term belongs to one leader, so who has the present one leads.  Each call of a command is dear
-- here, and so is each argument: there are no more than must be.  An order lives for a day, so only
-- that of the first part is renewed: every channel is the first one often enough, and a leader whose
-- order has run out all the same is refused, and puts it back.

local size, keep, live = ARGV[1], ARGV[2], ARGV[3]
local answer = {}
local at = 4
for part = 1, #KEYS / 2 do
  local order, log, id, message = KEYS[2 * part - 1], KEYS[2 * part], ARGV[at + 2], ARGV[at + 4]
  local term = redis.pcall('HGET', order, 'term')
  local done = '1'
  if term ~= ARGV[at + 1] then
    done = type(term) == 'table' and 'x' or '0'
  elseif id == 'state' then
    redis.call('HSET', order, 'place', ARGV[at + 3], 'state', message)
  elseif id == 'end' then
    redis.call('HDEL', order, 'state')
  else
    local is_new = true
    if size ~= '0' then
      local added = redis.pcall('XADD', log, 'MAXLEN', '~', size, id, 'd', message)
      if type(added) == 'table' then
        is_new = false
        if not string.find(added.err, 'equal or smaller') then done = 'x' end
      else
        redis.call('PEXPIRE', log, keep)
      end
    end
    if is_new then
      redis.call('HSET', order, 'place', ARGV[at + 3])
    else
      message = nil
    end
  end
  if done == '1' and message then
    if part == 1 then redis.call('PEXPIRE', order, live) end
    redis.call('PUBLISH', ARGV[at], message)
  end
  answer[part] = done
  at = at + 5
end
return table.concat(answer)
