import { script, type Script } from './script.ts'

/** An epoch has ended: it burns if it still has leases. Its key is that of the leases, its argument the epoch. */
export const BURN = 'BURN'

/**
 * Compare and set (R2): checks everything, then writes everything. `ARGV[2]` store time; `ARGV[3]` the run id and `ARGV[4]` the generation that were
 * loaded; `ARGV[5]` the number of groups of values that must be unchanged, each as key, count, fields, values, where an empty text stands for a field that
 * must not be there. Then commands until the end, each as name, key, count, arguments; one of them is none of Redis, {@link BURN}. A key is a position in `KEYS`.
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
-- S1. This comes first: a server without memory refuses it, and then nothing has been written.
if tonumber(ARGV[2]) > tonumber(store[2]) then call('HSET', S, 'seen', ARGV[2]) end
while ARGV[at] do
  local key, count = KEYS[tonumber(ARGV[at + 1])], tonumber(ARGV[at + 2])
  if ARGV[at] ~= '${BURN}' then
    call(ARGV[at], key, unpack(ARGV, at + 3, at + 2 + count))
  elseif call('EXISTS', key) == 1 then
    call('SADD', D, ARGV[at + 3])
  end
  at = at + 3 + count
end
return 'saved'
`)
