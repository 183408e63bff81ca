import { WANTED_ROWS_MAX } from '../../../core/adapter.ts'
import { LEAP_MIN_MS } from '../../../core/leap.ts'
import { PERIOD_SLACK_MS } from '../../../core/settle-entry.ts'
import { UNITS_MAX } from '../../../core/units.ts'
import { EARLIER } from './earlier.ts'
import { EXCHANGE_WRITES } from './exchange-writes.ts'
import { HELD_UNITS } from './held-units.ts'
import { JOINED_ROWS } from './joined-rows.ts'
import { script, type Script } from './script.ts'
import { UPKEEP_DUE } from './upkeep-due.ts'
import { USUAL_ENTRIES } from './usual-entries.ts'
import { WANTED_ROWS } from './wanted.ts'

/**
 * The fast path (stores.md section 0): decides a plain batch of a living owner, its mints and its close, in one round trip, as `transition` does. Whatever is rare is not decided here,
 * so that this copy of the arithmetic stays small: the answer is `false`, nothing was written, and the general path decides. Everything is computed before
 * anything is written (R2).
 *
 * One argument behind the time: packed doubles, and behind them texts, each with its length in four bytes in front.
 * - epoch, seq, whether the epoch closes, numbers of budgets, of counters, of policies, of mints and of runs of takes, and where the texts begin
 * - for each budget: known, spent, refund, hold, wantMs, index in the batch
 * - what is added to each counter
 * - for each policy: position of its budget from 1, kind, limit, burnMax, version, endsAt, keepUntil
 * - for each mint: position of its budget, units
 * - for each run of takes: n, number of needs, and for each need position and cost
 * - the texts: token, the process of the server that was checked, incarnation of the batch; then fields of the budgets, keys of the counters, fields of the mints
 *
 * Answers packed doubles, the outcome as JSON, rows that are wanted as (field, wanted until), and texts that are the packed rows of the budgets. The doubles: time, the latest time
 * kept before, expiry, number of rows made, whether upkeep is due (1 or 0); what is held of each budget; and values of the counters.
 */
export const EXCHANGE: Script = script(`
${WANTED_ROWS}${UPKEEP_DUE}${EARLIER}${HELD_UNITS}${JOINED_ROWS}
local MAX, NULL, SLACK = ${UNITS_MAX}, -9007199254740992, ${PERIOD_SLACK_MS}
local ROW = '<ddddddddddddddd'
local pack, unp, min, max = struct.pack, struct.unpack, math.min, math.max
local at = state()
if at[1] ~= 'ok' then return false end
local time, seen = tonumber(at[2]), tonumber(at[4])
local data = ARGV[2]
local epochNumber, seq, close, budgets, counters, policies, mints, runs, textsFrom = unp('<ddddddddd', data)
-- Behind the first three: fields of budgets, keys of counters, fields of mints.
local names = { unp('<' .. string.rep('I4c0', 3 + budgets + counters + mints), data, textsFrom) }
-- F1, F3: another process than was checked, another incarnation, and a frozen store.
if at[3] ~= names[2] or at[10] ~= names[3] or tonumber(at[11]) > time then return false end
-- S1: store time that is ahead of the clock, or leaps, is not decided here.
if time < seen or (seen > 0 and time - seen > ${LEAP_MIN_MS}) then return false end
local epoch = int(epochNumber)
local leases = L .. epoch

local owner = call('HGET', O, epoch)
if not owner then return false end
local isOpen, last, seenAt, expiresAt, life, tokenBytes = unp('<dddddd', owner)
local token = string.sub(owner, 49, 48 + tokenBytes)
if isOpen ~= 1 or token ~= names[1] or seq ~= last + 1 then return false end
-- P6: it has not heard that leases of it were deleted.
if at[14] ~= '' and call('EXISTS', U .. epoch) == 1 then return false end

local function values(key, behind, count)
  if count == 0 then return {} end
  return call('HMGET', key, unpack(names, behind + 1, behind + count))
end
-- S8: leases of ended epochs are burned first. There are few such epochs, or none.
local ended = call('SMEMBERS', D)
for _, other in ipairs(ended) do
  local held = values(L .. other, 3, budgets)
  for i = 1, budgets do
    if held[i] then return false end
  end
end
local rows, helds = values(B, 3, budgets), heldUnits(leases, names, 3, budgets)

local from = 73 + budgets * 48 + counters * 8
local policyAt, mintOf, isTaken = {}, {}, {}
for _ = 1, policies do
  policyAt[unp('<d', data, from)] = from + 8
  from = from + 56
end
local mintedBefore = values(M, 3 + budgets + counters, mints)
for i = 1, mints do
  mintOf[unp('<d', data, from)] = i
  from = from + 16
end
local takesFrom = from
for _ = 1, runs do
  local _, needs = unp('<dd', data, from)
  from = from + 16
  for _ = 1, needs do
    isTaken[unp('<d', data, from)] = true
    from = from + 16
  end
end

-- What is to be written.
local set, setLeases, endLeases, want, unwant, keep, unkeep, index, setMints = {}, {}, {}, {}, {}, {}, {}, {}, {}
-- P2: no row with windows has a higher version. Not known of a store that was of schema 1.
local versions0 = tonumber(at[13]) or math.huge
local versions = versions0
-- Of the rows that are made.
local members = {}
local setSize, made, records, moves = 0, 0, 0, 0
-- What is answered: notes, the rows, and what is held of them.
local notes, out, holds = {}, {}, {}
-- S3, S5: behind the takes. The row as it was (…0), and as it is.
local function finish(i, kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets,
  minted0, used0, pool0, version0, wanted0, keepUntil0, held0, held, hold, wantMs)
  local field, row = names[3 + i], rows[i]
  local isNew = not row
  if wantMs > 0 then wanted = max(wanted, time + wantMs) elseif wanted <= time then wanted = 0 end
  local change = hold - held
  if change > 0 then
    if wanted > time or burned >= burnMax or pool <= 0 then change = 0 elseif change > pool then change = pool end
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
    row = pack(ROW, kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets)
    set[setSize + 1], set[setSize + 2] = field, row
    setSize = setSize + 2
    if isRecord then records = records + 1 else moves = moves + 1 end
    if wanted ~= wanted0 then
      if wanted > 0 then
        want[#want + 1] = int(wanted)
        want[#want + 1] = field
      else
        unwant[#unwant + 1] = field
      end
    end
    if keepUntil ~= NULL and reserved == 0 then
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
      index[#index + 1] = '0'
      index[#index + 1] = members[i]
    end
  end
  out[i], holds[i] = row, held
end

local later = {}
-- S3, the entry by itself, and the rest of it unless takes need it. False where it is not decided here.
local function settle(i)
  local known, spent, refund, hold, wantMs = unp('<ddddd', data, 25 + i * 48)
  local policy = policyAt[i]
  local row = rows[i]
  local kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets
  if row then
    -- Schema 1 had 104: the general path writes them anew.
    if #row ~= 120 then return false end
    kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets = unp(ROW, row)
  else
    -- S4
    if known == 1 or not policy then return false end
    kind, limit, burnMax, version, endsAt, keepUntil = unp('<dddddd', data, policy)
    if endsAt ~= NULL then
      local period = tonumber(string.match(names[3 + i], '^[^:]*'))
      if endsAt <= time - SLACK or period > time + min(endsAt - period, SLACK) then return false end
    end
    keepUntil = (endsAt == NULL or keepUntil == NULL) and NULL or max(keepUntil, endsAt + SLACK)
    minted, used, pool, burned, leased, lessees, wanted, reserved, resets = limit, 0, limit, 0, 0, 0, 0, 0, 0
    -- P2
    local member, length = memberOf(names[3 + i])
    members[i] = member
    if kind == 1 then
      local earlier = versions0 > version and earlierRow(member, length)
      if earlier and unp('<d', earlier, 73) > version then return false end
      versions = max(versions, version)
    end
  end
  local held0 = tonumber(helds[i] or 0)
  -- S6 names the row; that is not done here. What is no number, or no whole one, shows in the remainder.
  if not held0 or (held0 + used + reserved + burned + leased + lessees + limit + version + wanted) % 1 ~= 0 then return false end
  local others = helds[i] and lessees - 1 or lessees
  if minted - used - reserved - burned - leased ~= pool or leased < held0 or spent > held0 or others < 0
    or (others == 0) ~= (leased == held0) or (held0 == 0) ~= not helds[i]
    or min(held0, minted, used, reserved, burned, limit, version) < 0 or pool < -MAX
    or max(minted, used, reserved, burned, leased, limit, version, wanted) > MAX then return false end
  local minted0, used0, pool0, version0, wanted0, keepUntil0 = minted, used, pool, version, wanted, keepUntil
  if policy and row and kind == 1 then
    local itsKind, itsLimit, itsBurnMax, itsVersion, itsEndsAt, itsKeepUntil = unp('<dddddd', data, policy)
    if itsKind == 1 and itsVersion > version and itsEndsAt == endsAt then
      minted, pool = minted + itsLimit - limit, pool + itsLimit - limit
      limit, burnMax, version = itsLimit, itsBurnMax, itsVersion
      versions = max(versions, version)
      if keepUntil ~= NULL and itsKeepUntil ~= NULL then keepUntil = max(keepUntil, itsKeepUntil) end
      if minted > MAX or minted < 0 then return false end
    end
  end
  local mint, how = mintOf[i], nil
  if mint then
    local units, before = unp('<d', data, takesFrom + (mint - mints - 1) * 16 + 8), mintedBefore[mint]
    if before then
      if (tonumber(before) or 0.5) % 1 ~= 0 then return false end
      how = tonumber(before) == units and 'repeated' or 'id_conflict'
    elseif units > MAX - minted then
      how = 'units_overflow'
    else
      how = 'minted'
      minted, pool = minted + units, pool + units
      setMints[#setMints + 1] = names[3 + budgets + counters + mint]
      setMints[#setMints + 1] = int(units)
    end
  end
  used = used + spent
  local back = min(refund, used)
  used, pool = used - back, pool + back
  if back > 0 or how then
    local note = '"' .. int(unp('<d', data, 65 + i * 48)) .. '":{"refunded":' .. int(back)
    notes[#notes + 1] = note .. (how and ',"mint":"' .. how .. '"}' or '}')
  end
  if isTaken[i] then
    later[i] = {
      i, kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets,
      minted0, used0, pool0, version0, wanted0, keepUntil0, held0, held0 - spent, hold, wantMs
    }
  else
    finish(i, kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets,
      minted0, used0, pool0, version0, wanted0, keepUntil0, held0, held0 - spent, hold, wantMs)
  end
  return true
end

${USUAL_ENTRIES}
-- S3, takes: in order, from pools that are positive. 4 is used, and 5 is pool.
local granted = {}
from = takesFrom
for run = 1, runs do
  local count, needs = unp('<dd', data, from)
  local first = from + 16
  from = first
  for _ = 1, needs do
    local i, cost = unp('<dd', data, from)
    from = from + 16
    count = min(count, later[i][5] > 0 and math.floor(later[i][5] / cost) or 0)
  end
  if count > 0 then
    for n = 0, needs - 1 do
      local i, cost = unp('<dd', data, first + 16 * n)
      later[i][5], later[i][4] = later[i][5] - count * cost, later[i][4] + count * cost
    end
  end
  granted[run] = int(count)
end
for i = 1, budgets do
  if later[i] then finish(unpack(later[i], 1, 26)) end
end

local sums, setCounters, newCounters = {}, {}, 0
local befores = values(C, 3 + budgets, counters)
for i = 1, counters do
  local before, add = tonumber(befores[i] or 0), unp('<d', data, 65 + budgets * 48 + i * 8)
  if not before or before % 1 ~= 0 or max(before, before + add) > MAX or min(before, before + add) < -MAX then return false end
  sums[i] = before + add
  if add ~= 0 then
    setCounters[#setCounters + 1] = names[3 + budgets + i]
    setCounters[#setCounters + 1] = int(before + add)
    records = records + 1
    if not befores[i] then newCounters = newCounters + 1 end
  end
end

${EXCHANGE_WRITES}
local function doubles(list) return pack('<' .. string.rep('d', #list), unpack(list)) end
local head = pack('<ddddd', time, seen, expiresAt, made, isUpkeepDue(time, ended, at[12]) and 1 or 0)
return { head .. doubles(holds) .. doubles(sums), outcome, wantedRows(leases, time, ${WANTED_ROWS_MAX}), joined(out, budgets) }
`)
