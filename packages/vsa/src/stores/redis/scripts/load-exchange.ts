import { script, type Script } from './script.ts'

/** The most rows that are looked at for those that are wanted and leased by the epoch. */
const LOOKED_AT_MAX = 10_000

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

-- O12: store time is at least this.
local wanted = {}
local wantedMax = 2 * tonumber(ARGV[from])
if call('EXISTS', W) == 1 and call('EXISTS', leases) == 1 then
  local time = int(math.max(tonumber(at[2]), tonumber(at[4])))
  local rows = call('ZRANGEBYSCORE', W, '(' .. time, '+inf', 'WITHSCORES', 'LIMIT', 0, ${LOOKED_AT_MAX})
  for i = 1, #rows, 2 do
    if #wanted >= wantedMax then break end
    if call('HEXISTS', leases, rows[i]) == 1 then
      wanted[#wanted + 1] = rows[i]
      wanted[#wanted + 1] = rows[i + 1]
    end
  end
end
return { at, call('HGET', O, epoch), values(B, budgets), values(leases, budgets), ended, values(C, counters), values(M, mints), wanted }
`)
