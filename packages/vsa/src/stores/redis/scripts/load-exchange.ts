import { CHANGED_SOURCES_MAX } from '../../../core/reservations/load-bound.ts'
import { EARLIER } from './earlier.ts'
import { READ_ROWS } from './read-rows.ts'
import { script, type Script } from './script.ts'
import { WANTED_ROWS } from './wanted.ts'

/** Answers the state alone. */
export const LOAD_JOIN: Script = script(`
assertWritable()
return { state() }
`)

/**
 * `ARGV[2]` the epoch; then five lists, each with its length in front: fields of budgets, of counters, of mints and of reservations, and positions from 1 of
 * budgets with windows, which may be made; then the most wanted rows, and how many of the reservations takes name: of the others, those up to the bound are read.
 * The rows that reservations were made from are read, too. Answers the state, the owner, fields of those budgets and of those counters; of all, budgets,
 * leases of the epoch on them, leases of ended epochs on them as (epoch, position, held), and counters; mints; reservations as (value, value of the field that
 * it names); earlier rows of budgets that are not there as (position from 1, row, period); wanted rows of the epoch as (field, wanted until); and, of the budgets
 * named, those whose lease of the epoch was deleted as (position from 1, empty), and those that are not there and whose key was deleted as (position from 1, when).
 */
export const LOAD_EXCHANGE: Script = script(`
${WANTED_ROWS}${READ_ROWS}${EARLIER}
assertWritable()
local at = state()
if at[1] ~= 'ok' then return { at } end
local epoch = ARGV[2]
local from = 3
local function names()
  local count = tonumber(ARGV[from])
  local list = {}
  for i = 1, count do list[i] = ARGV[from + i] end
  from = from + 1 + count
  return list
end
local budgets, counters, mints, reservations, starts = names(), names(), names(), names(), names()
local leases = L .. epoch
local budgetsNamed, countersNamed = #budgets, #counters
local remembered = readReservations(reservations, budgets, counters, ${CHANGED_SOURCES_MAX}, tonumber(ARGV[#ARGV]))
local function behind(list, count)
  local rest = {}
  for i = count + 1, #list do rest[i - count] = list[i] end
  return rest
end

local rows = values(B, budgets)
local earlier = {}
for _, position in ipairs(starts) do
  local i = tonumber(position)
  local row, period
  if not rows[i] then row, period = earlierRow(memberOf(budgets[i])) end
  if row then
    earlier[#earlier + 1] = position
    earlier[#earlier + 1] = row
    earlier[#earlier + 1] = period
  end
end

-- P6
local deleted = {}
if at[14] ~= '' then
  local marks = call('EXISTS', U .. epoch) == 1 and values(U .. epoch, budgets) or {}
  for i = 1, budgetsNamed do
    local deletedAt = marks[i] and '' or not rows[i] and call('ZSCORE', E, (string.gsub(budgets[i], '^[^:]*:', '')))
    if deletedAt then
      deleted[#deleted + 1] = int(i)
      deleted[#deleted + 1] = deletedAt
    end
  end
end

-- Store time is at least this.
local wanted = wantedRows(leases, math.max(tonumber(at[2]), tonumber(at[4])), tonumber(ARGV[from]))
return {
  at, call('HGET', O, epoch), behind(budgets, budgetsNamed), behind(counters, countersNamed), rows, values(leases, budgets), endedLeases(budgets, epoch),
  values(C, counters), values(M, mints), remembered, earlier, wanted, deleted
}
`)
