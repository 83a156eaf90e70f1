-- SPDX-License-Identifier: MIT
-- What is kept after a number, in one reply: a list would cost its reader a turn for each element.
--
-- KEYS: log.  ARGV: the first id that is wanted, the last one, how many entries, how many bytes.
-- Answers frames.

local first, last, count, bytes = unpack(ARGV)
local answer, size = {}, 0
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], first, last, 'COUNT', count)) do
  local data = entry[2][2]
  size = size + #data
  if size > tonumber(bytes) and #answer > 0 then break end
  answer[#answer + 1] = struct.pack('>I4', #data) .. data
end
return table.concat(answer)
