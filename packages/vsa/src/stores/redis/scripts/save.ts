import { FORGOTTEN_KEYS_MAX } from '../../../core/deleted-keys.ts'
import { OWNERS_KEPT_MS } from '../../../core/maintain.ts'
import { script, type Script } from './script.ts'

/** An epoch has ended: it burns if it still has leases. Its key is that of the leases, its argument the epoch. */
export const BURN = 'BURN'

/**
 * P6: removes rows, the leases on them, and mints. Its key is that of the deleted keys; its arguments the key, the number of rows, their fields, their members of the index,
 * and fields of mints. It finds the leases itself, and counts what it removes: so it need not find the rows as they were loaded, which would never come true on a busy key.
 */
export const DELETE = 'DELETE'

/**
 * Compare and set (R2): checks everything, then writes everything. `ARGV[2]` store time; `ARGV[3]` the run id and `ARGV[4]` the generation that were
 * loaded; `ARGV[5]` the number of groups of values that must be unchanged, each as key, count, fields, values, where an empty text stands for a field that
 * must not be there. Then the number of ranges of sorted sets, each as key, first, last, and how many members it must have. Then commands until the end, each as name, key, count,
 * arguments; two of them are none of Redis, {@link BURN} and {@link DELETE}. A key is a position in `KEYS`.
 * Answers `saved` or `moved`.
 */
export const SAVE: Script = script(`
local moved = 'moved'
local store = call('HMGET', S, 'gen', 'seen')
if store[1] ~= ARGV[4] or runId() ~= ARGV[3] then return moved end
local at = 6
for _ = 1, tonumber(ARGV[5]) do
  local key, count = KEYS[tonumber(ARGV[at])], tonumber(ARGV[at + 1])
  local first = at + 2
  local found = call('HMGET', key, unpack(ARGV, first, first + count - 1))
  for i = 1, count do
    if (found[i] or '') ~= ARGV[first + count + i - 1] then return moved end
  end
  at = first + 2 * count
end
local ranges = tonumber(ARGV[at])
for _ = 1, ranges do
  if call('ZLEXCOUNT', KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], ARGV[at + 3]) ~= tonumber(ARGV[at + 4]) then return moved end
  at = at + 4
end
at = at + 1

local function delete(first, last)
  call('ZADD', E, ARGV[2], ARGV[first])
  local old = call('ZRANGEBYSCORE', E, '-inf', '(' .. int(tonumber(ARGV[2]) - ${OWNERS_KEPT_MS}), 'LIMIT', 0, ${FORGOTTEN_KEYS_MAX})
  if #old > 0 then call('ZREM', E, unpack(old)) end
  call('HINCRBY', S, 'deletions', '1')
  local rows = tonumber(ARGV[first + 1])
  local fields, members = first + 2, first + 2 + rows
  local mints = members + rows
  local function remove(epoch)
    local leased, marks = {}, {}
    for i, held in ipairs(call('HMGET', L .. epoch, unpack(ARGV, fields, members - 1))) do
      if held then
        local field = ARGV[fields + i - 1]
        leased[#leased + 1] = field
        marks[#marks + 1] = field
        marks[#marks + 1] = '1'
      end
    end
    if #leased == 0 then return end
    call('HDEL', L .. epoch, unpack(leased))
    call('HSET', U .. epoch, unpack(marks))
  end
  if rows > 0 then
    for _, epoch in ipairs(call('ZRANGE', X, 0, -1)) do remove(epoch) end
    for _, epoch in ipairs(call('SMEMBERS', D)) do remove(epoch) end
    call('HINCRBY', S, 'rows', int(-call('HDEL', B, unpack(ARGV, fields, members - 1))))
    call('ZREM', K, unpack(ARGV, fields, members - 1))
    call('ZREM', W, unpack(ARGV, fields, members - 1))
    call('ZREM', I, unpack(ARGV, members, mints - 1))
  end
  if mints <= last then
    call('HINCRBY', S, 'mints', int(-call('HDEL', M, unpack(ARGV, mints, last))))
    call('ZREM', J, unpack(ARGV, mints, last))
  end
end

-- S1. This comes first: a server without memory refuses it, and then nothing has been written.
if tonumber(ARGV[2]) > tonumber(store[2]) then call('HSET', S, 'seen', ARGV[2]) end
while ARGV[at] do
  local key, count = KEYS[tonumber(ARGV[at + 1])], tonumber(ARGV[at + 2])
  if ARGV[at] == '${DELETE}' then
    delete(at + 3, at + 2 + count)
  elseif ARGV[at] ~= '${BURN}' then
    call(ARGV[at], key, unpack(ARGV, at + 3, at + 2 + count))
  elseif call('EXISTS', key) == 1 then
    call('SADD', D, ARGV[at + 3])
  end
  at = at + 3 + count
end
return 'saved'
`)
