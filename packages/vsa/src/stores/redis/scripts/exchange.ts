import { WANTED_ROWS_MAX } from '../../../core/adapter.ts'
import { LEAP_MIN_MS } from '../../../core/leap.ts'
import { PERIOD_SLACK_MS } from '../../../core/settle-entry.ts'
import { UNITS_MAX } from '../../../core/units.ts'
import { script, type Script } from './script.ts'
import { UPKEEP_DUE } from './upkeep-due.ts'
import { WANTED_ROWS } from './wanted.ts'

/**
 * The fast path (stores.md section 0): decides a plain batch of a living owner, its mints and its close, in one round trip, as `transition` does. Whatever is rare is not decided here,
 * so that this copy of the arithmetic stays small: the answer is `false`, nothing was written, and the general path decides. Everything is computed before
 * anything is written (R2).
 *
 * Arguments behind the time, in packed doubles unless they are named texts:
 * 2. epoch, seq, numbers of budgets, of counters, of policies, of runs of takes and of mints, and whether the epoch closes
 * 3. the token, a text
 * 4. for each budget: index in the batch, known, spent, refund, hold, wantMs
 * 5. for each policy: position of its budget from 1, kind, limit, burnMax, version, endsAt, keepUntil
 * 6. for each run of takes: n, number of needs, and for each need position and cost
 * 7. what is added to each counter
 * 8. for each mint: position of its budget, units
 * 9. the process of the server that was checked, and 10. the incarnation of the batch, texts
 * Then the fields of the budgets, the keys of the counters, and the fields of the mints.
 *
 * Answers time, the latest time kept before, expiry, number of rows made, whether upkeep is due (1 or 0), nine figures for each budget, values of the counters, the outcome as JSON,
 * and rows that are wanted as (field, wanted until).
 */
export const EXCHANGE: Script = script(`
${WANTED_ROWS}${UPKEEP_DUE}
local MAX, NULL, SLACK = ${UNITS_MAX}, -9007199254740992, ${PERIOD_SLACK_MS}
local ROW, FIGURES = '<ddddddddddddd', '<ddddddddd'
local pack, unp, min, max = struct.pack, struct.unpack, math.min, math.max
local at = state()
if at[1] ~= 'ok' then return false end
local time, seen = tonumber(at[2]), tonumber(at[4])
-- F1, F3: another process than was checked, another incarnation, and a frozen store.
if at[3] ~= ARGV[9] or at[10] ~= ARGV[10] or tonumber(at[11]) > time then return false end
-- S1: store time that is ahead of the clock, or leaps, is not decided here.
if time < seen or (seen > 0 and time - seen > ${LEAP_MIN_MS}) then return false end
local epochNumber, seq, budgets, counters, policies, runs, mints, close = unp('<dddddddd', ARGV[2])
local epoch = int(epochNumber)
local leases = L .. epoch

local owner = call('HGET', O, epoch)
if not owner then return false end
local isOpen, last, seenAt, expiresAt, life, tokenBytes = unp('<dddddd', owner)
local token = string.sub(owner, 49, 48 + tokenBytes)
if isOpen ~= 1 or token ~= ARGV[3] or seq ~= last + 1 then return false end

local fields = {}
for i = 1, budgets do fields[i] = ARGV[10 + i] end
local function values(key, names)
  if #names == 0 then return {} end
  return call('HMGET', key, unpack(names))
end
-- S8: leases of ended epochs are burned first. There are few such epochs, or none.
if budgets > 0 then
  for _, other in ipairs(call('SMEMBERS', D)) do
    local held = values(L .. other, fields)
    for i = 1, budgets do
      if held[i] then return false end
    end
  end
end
local rows, helds = values(B, fields), values(leases, fields)

local policyAt = {}
for p = 0, policies - 1 do policyAt[unp('<d', ARGV[5], p * 56 + 1)] = p * 56 + 9 end
local mintFields, mintOf = {}, {}
for i = 1, mints do
  mintFields[i] = ARGV[10 + budgets + counters + i]
  mintOf[unp('<d', ARGV[8], (i - 1) * 16 + 1)] = i
end
local mintedBefore = values(M, mintFields)
local isTaken, from = {}, 1
for _ = 1, runs do
  local _, needs = unp('<dd', ARGV[6], from)
  from = from + 16
  for _ = 1, needs do
    isTaken[unp('<d', ARGV[6], from)] = true
    from = from + 16
  end
end

-- What is to be written.
local set, setLeases, endLeases, want, unwant, keep, unkeep, index, setMints = {}, {}, {}, {}, {}, {}, {}, {}, {}
local made, records, moves = 0, 0, 0
local notes, out = {}, {}
-- The row that is being changed: as it was (…0), and as it is.
local kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil
local minted0, used0, pool0, version0, wanted0, keepUntil0, held0, held, hold, wantMs, isNew

-- S3, the entry by itself. False where it is not decided here.
local function settle(i)
  local _, known, spent, refund
  _, known, spent, refund, hold, wantMs = unp('<dddddd', ARGV[4], (i - 1) * 48 + 1)
  local policy = policyAt[i]
  local row = rows[i]
  isNew = not row
  if row then
    if #row ~= 104 then return false end
    kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil = unp(ROW, row)
  else
    -- S4
    if known == 1 or not policy then return false end
    kind, limit, burnMax, version, endsAt, keepUntil = unp('<dddddd', ARGV[5], policy)
    if endsAt ~= NULL then
      local period = tonumber(string.match(fields[i], '^[^:]*'))
      if endsAt <= time - SLACK or period > time + min(endsAt - period, SLACK) then return false end
    end
    keepUntil = (endsAt == NULL or keepUntil == NULL) and NULL or max(keepUntil, endsAt + SLACK)
    minted, used, pool, burned, leased, lessees, wanted = limit, 0, limit, 0, 0, 0, 0
  end
  held0 = tonumber(helds[i] or 0)
  -- S6 names the row; that is not done here.
  if minted - used - burned - leased ~= pool or leased < held0 or spent > held0 then return false end
  minted0, used0, pool0, version0, wanted0, keepUntil0 = minted, used, pool, version, wanted, keepUntil
  if policy and not isNew and kind == 1 then
    local itsKind, itsLimit, itsBurnMax, itsVersion, _, itsKeepUntil = unp('<dddddd', ARGV[5], policy)
    if itsKind == 1 and itsVersion > version then
      minted, pool = minted + itsLimit - limit, pool + itsLimit - limit
      limit, burnMax, version = itsLimit, itsBurnMax, itsVersion
      if keepUntil ~= NULL and itsKeepUntil ~= NULL then keepUntil = max(keepUntil, itsKeepUntil) end
      if minted > MAX or minted < 0 then return false end
    end
  end
  local mint, how = mintOf[i], nil
  if mint then
    local units, before = unp('<d', ARGV[8], mint * 16 - 7), mintedBefore[mint]
    if before then
      how = tonumber(before) == units and 'repeated' or 'id_conflict'
    elseif units > MAX - minted then
      how = 'units_overflow'
    else
      how = 'minted'
      minted, pool = minted + units, pool + units
      setMints[#setMints + 1] = mintFields[mint]
      setMints[#setMints + 1] = int(units)
    end
  end
  held, used = held0 - spent, used + spent
  local back = min(refund, used)
  used, pool = used - back, pool + back
  if back > 0 or how then
    local note = '"' .. int(unp('<d', ARGV[4], (i - 1) * 48 + 1)) .. '":{"refunded":' .. int(back)
    notes[#notes + 1] = note .. (how and ',"mint":"' .. how .. '"}' or '}')
  end
  return true
end

-- S3, S5: behind the takes.
local function finish(i)
  local field = fields[i]
  if wantMs > 0 then wanted = max(wanted, time + wantMs) elseif wanted <= time then wanted = 0 end
  local change = hold - held
  if change > 0 then
    if wanted <= time and burned < burnMax then change = min(change, max(pool, 0)) else change = 0 end
  end
  held, pool = held + change, pool - change
  local isRecord = used ~= used0 or minted ~= minted0 or version ~= version0
  local wasLeased = lessees > 0
  if held ~= held0 then
    leased = leased - held0 + held
    if held0 == 0 then lessees = lessees + 1 end
    if held == 0 then
      lessees = lessees - 1
      endLeases[#endLeases + 1] = field
    else
      setLeases[#setLeases + 1] = field
      setLeases[#setLeases + 1] = int(held)
    end
    moves = moves + 1
  end
  if isNew or isRecord or pool ~= pool0 or wanted ~= wanted0 then
    set[#set + 1] = field
    set[#set + 1] = pack(ROW, kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil)
    if isRecord then records = records + 1 else moves = moves + 1 end
    if wanted ~= wanted0 then
      if wanted > 0 then
        want[#want + 1] = int(wanted)
        want[#want + 1] = field
      else
        unwant[#unwant + 1] = field
      end
    end
    if keepUntil ~= NULL then
      if lessees == 0 then
        if isNew or wasLeased or keepUntil ~= keepUntil0 then
          keep[#keep + 1] = int(keepUntil)
          keep[#keep + 1] = field
        end
      elseif not wasLeased and not isNew then
        unkeep[#unkeep + 1] = field
      end
    end
    if isNew then
      made = made + 1
      local colon = string.find(field, ':', 1, true)
      local period = tonumber(string.sub(field, 1, colon - 1))
      local digits = period < 0 and '0' .. string.format('%016.0f', period + 9007199254740992) or '1' .. string.format('%016.0f', period)
      index[#index + 1] = '0'
      index[#index + 1] = string.sub(field, colon + 1) .. '\\0' .. digits
    end
  end
  out[i] = pack(FIGURES, held, pool, used, burned, minted, limit, version, lessees - (held > 0 and 1 or 0), leased - held)
end

local later = {}
for i = 1, budgets do
  if not settle(i) then return false end
  if isTaken[i] then
    later[i] = {
      kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil,
      minted0, used0, pool0, version0, wanted0, keepUntil0, held0, held, hold, wantMs, isNew
    }
  else
    finish(i)
  end
end

-- S3, takes: in order, from pools that are positive. 3 is used, and 4 is pool.
local granted = {}
from = 1
for run = 1, runs do
  local count, needs = unp('<dd', ARGV[6], from)
  local first = from + 16
  from = first
  for _ = 1, needs do
    local i, cost = unp('<dd', ARGV[6], from)
    from = from + 16
    count = min(count, later[i][4] > 0 and math.floor(later[i][4] / cost) or 0)
  end
  if count > 0 then
    for n = 0, needs - 1 do
      local i, cost = unp('<dd', ARGV[6], first + 16 * n)
      later[i][4], later[i][3] = later[i][4] - count * cost, later[i][3] + count * cost
    end
  end
  granted[run] = int(count)
end
for i = 1, budgets do
  if later[i] then
    kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil,
      minted0, used0, pool0, version0, wanted0, keepUntil0, held0, held, hold, wantMs, isNew = unpack(later[i], 1, 24)
    finish(i)
  end
end

local names, sums, setCounters, newCounters = {}, {}, {}, 0
for i = 1, counters do names[i] = ARGV[10 + budgets + i] end
local befores = values(C, names)
for i = 1, counters do
  local before, add = tonumber(befores[i] or 0), unp('<d', ARGV[7], (i - 1) * 8 + 1)
  if not before or before + add > MAX or before + add < -MAX then return false end
  sums[i] = pack('<d', before + add)
  if add ~= 0 then
    setCounters[#setCounters + 1] = names[i]
    setCounters[#setCounters + 1] = int(before + add)
    records = records + 1
    if not befores[i] then newCounters = newCounters + 1 end
  end
end

-- Nothing is refused from here on.
if time > seen then call('HSET', S, 'seen', int(time)) end
if at[3] ~= at[6] then call('HSET', S, 'run', at[3]) end
local function write(command, key, list)
  if #list > 0 then call(command, key, unpack(list)) end
end
write('HSET', B, set)
write('HSET', leases, setLeases)
write('HDEL', leases, endLeases)
write('ZADD', I, index)
write('ZADD', W, want)
write('ZREM', W, unwant)
write('ZADD', K, keep)
write('ZREM', K, unkeep)
write('HSET', C, setCounters)
write('HSET', M, setMints)
if #setMints > 0 then call('HINCRBY', S, 'mints', int(#setMints / 2)) end
if made > 0 then call('HINCRBY', S, 'rows', int(made)) end
if newCounters > 0 then call('HINCRBY', S, 'counters', int(newCounters)) end
local outcome = '{"granted":[' .. table.concat(granted, ',') .. '],"notes":{' .. table.concat(notes, ',') .. '},"written":{"records":' .. int(records) .. ',"leaseRecords":' .. int(moves) .. '}}'
expiresAt = max(expiresAt, time + life)
call('HSET', O, epoch, pack('<dddddd', 1 - close, seq, time, expiresAt, life, tokenBytes) .. token .. outcome)
if close == 0 then
  call('ZADD', X, int(expiresAt), epoch)
else
  -- S9. What it still has burns.
  call('ZREM', X, epoch)
  call('ZADD', Z, int(time), epoch)
  if call('EXISTS', leases) == 1 then call('SADD', D, epoch) end
end

local named = wantedRows(leases, time, ${WANTED_ROWS_MAX})
return { int(time), int(seen), int(expiresAt), int(made), isUpkeepDue(time) and '1' or '0', table.concat(out), table.concat(sums), outcome, named }
`)
