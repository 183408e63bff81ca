import { READ_ROWS } from './read-rows.ts'
import { script, type Script } from './script.ts'

/**
 * `ARGV[2]` the most reservations. Answers the state; fields of the reservations that are to be swept, the earliest first, and their values; fields of the budgets that
 * they were made from, and of the counters; budgets, leases of ended epochs on them as (epoch, position, held), and counters.
 */
export const LOAD_SWEEP: Script = script(`
${READ_ROWS}
assertWritable()
local at = state()
if at[1] ~= 'ok' then return { at } end
local due = call('ZRANGEBYSCORE', T, '-inf', at[2], 'LIMIT', 0, ARGV[2])
local budgets, counters = {}, {}
local found = readFirst(due, budgets, counters)
return { at, due, found, budgets, counters, values(B, budgets), endedLeases(budgets, ''), values(C, counters) }
`)
