import { READ_ROWS } from './read-rows.ts'
import { SCHEMA_VERSION, script, type Script } from './script.ts'

/** Leases that the script which removes rows looks for: so many rows less, the more owners there are (R5). */
const LOOKUPS_MAX = 1_500

/**
 * P6: `ARGV[2]` the most of each; then ranges, as the first and the last member, of rows, of mints, and of names of reservations.
 * Answers the state, and what is wrong with the lists of names, which is all of the answer unless it is an empty text. Then of each range how many members it has, and the first
 * of them; values of the reservations; fields of the budgets that they were made from, and of the counters; budgets, leases of ended epochs on them as (epoch, position,
 * held), and counters. Leases on the rows of the key are not looked for: see `DELETE`.
 */
export const LOAD_DELETION: Script = script(`
${READ_ROWS}
assertWritable()
local at = state()
if at[1] ~= 'ok' then return { at } end
local counted = call('HMGET', S, 'mints', 'names')
local fault = at[14] == '' and 'no names are listed' or miscounted(J, 'ZCARD', counted[1]) or miscounted(Q, 'ZCARD', counted[2])
if fault then return { at, fault } end
local max = tonumber(ARGV[2])
local function within(index, first, last, most)
  return int(call('ZLEXCOUNT', index, first, last)), call('ZRANGEBYLEX', index, first, last, 'LIMIT', 0, int(most))
end
local epochs = call('ZCARD', X) + call('SCARD', D)
local rows, members = within(I, ARGV[3], ARGV[4], math.max(1, math.min(max, math.floor(${LOOKUPS_MAX} / math.max(1, epochs)))))
local mints, mintFields = within(J, ARGV[5], ARGV[6], max)
local names, nameFields = within(Q, ARGV[7], ARGV[8], max)
local budgets, counters = {}, {}
local found = readFirst(nameFields, budgets, counters)
return {
  at, '', rows, members, mints, mintFields, names, nameFields, found, budgets, counters, values(B, budgets), endedLeases(budgets, ''), values(C, counters)
}
`)

/**
 * P6: lists the names of mints, or of reservations, that there are: a slice of them. From the first slice on, each transaction that makes or removes one keeps the list, and programs that do not
 * know of deletions refuse the store (`schema_too_new`): a store of schema 2 becomes one of schema 3 here, and a store without deletions costs nothing of all this.
 * `ARGV[2]` is `m` or `r`, `ARGV[3]` a cursor, `ARGV[4]` about how many. Answers the next cursor.
 */
export const LIST_NAMES: Script = script(`
local at = state()
if at[1] ~= 'ok' then return { '0' } end
-- A program that knows no deletions does not look at the schema when it saves, but saves only where 'frozen' is as it was loaded: so the same number gets another form.
if at[14] == '' then call('HSET', S, 'schema', '${SCHEMA_VERSION}', 'deletions', '0', 'frozen', '0' .. at[11]) end
local found = call('HSCAN', ARGV[2] == 'm' and M or R, ARGV[3], 'COUNT', ARGV[4])
local scored = {}
for i = 1, #found[2], 2 do
  scored[#scored + 1] = '0'
  scored[#scored + 1] = found[2][i]
  if #scored == 1000 or i + 2 > #found[2] then
    call('ZADD', ARGV[2] == 'm' and J or Q, unpack(scored))
    scored = {}
  end
end
return { found[1] }
`)
