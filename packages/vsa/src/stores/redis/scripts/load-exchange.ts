import { script, type Script } from './script.ts'
import { WANTED_ROWS } from './wanted.ts'

/** Answers the state alone. */
export const LOAD_JOIN: Script = script(`
assertWritable()
return { state() }
`)

/**
 * `ARGV[2]` the epoch; then three lists, each with its length in front: fields of budgets, of counters and of mints; then the most wanted rows.
 * Answers the state, the owner, budgets, leases of the epoch on them, leases of ended epochs on them as (epoch, position, held), counters, mints,
 * and wanted rows of the epoch as (field, wanted until).
 */
export const LOAD_EXCHANGE: Script = script(`
${WANTED_ROWS}
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
local function values(key, fields)
  if #fields == 0 then return {} end
  return call('HMGET', key, unpack(fields))
end
local budgets, counters, mints = names(), names(), names()
local leases = L .. epoch

local ended = {}
if #budgets > 0 then
  for _, other in ipairs(call('SMEMBERS', D)) do
    if other ~= epoch then
      local helds = call('HMGET', L .. other, unpack(budgets))
      for i = 1, #budgets do
        if helds[i] then
          ended[#ended + 1] = other
          ended[#ended + 1] = int(i - 1)
          ended[#ended + 1] = helds[i]
        end
      end
    end
  end
end

-- Store time is at least this.
local wanted = wantedRows(leases, math.max(tonumber(at[2]), tonumber(at[4])), tonumber(ARGV[from]))
return { at, call('HGET', O, epoch), values(B, budgets), values(leases, budgets), ended, values(C, counters), values(M, mints), wanted }
`)
