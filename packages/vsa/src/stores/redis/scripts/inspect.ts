import { script, type Script } from './script.ts'

/* What `vsa verify` and `vsa inspect` read. None of these writes, or refuses a store that is damaged. Each is short (R5). */

/**
 * Answers, in this order: keys of the store, schema; rows, mints, counters, reservations, their names, and epochs as they were counted; and as they are: b, i, m, c,
 * t, r, and scores of i that are not 0. Schema 1 had no reservations.
 */
export const COUNTS: Script = script(`
local s = call('HMGET', S, 'schema', 'rows', 'mints', 'counters', 'reservations', 'names', 'epochs')
if s[1] == '1' then s[5], s[6] = '0', '0' end
local keys = call('EXISTS', unpack(KEYS))
local scored = call('ZCOUNT', I, '-inf', '(0') + call('ZCOUNT', I, '(0', '+inf')
return { int(keys), s[1], s[2], s[3], s[4], s[5], s[6], s[7], int(call('HLEN', B)), int(call('ZCARD', I)), int(call('HLEN', M)), int(call('HLEN', C)), int(call('ZCARD', T)), int(call('HLEN', R)), int(scored) }
`)

/**
 * A page of rows, each with every lease on it that an owner can return or that will be burned. `ARGV[2]` and `ARGV[3]` the range of members of the index; `ARGV[4]` the
 * most rows; `ARGV[5]` the most leases that are looked for, beyond those of one row.
 * Answers rows as (member, budget), and leases as (position of the row from 0, epoch, held).
 */
export const ROWS: Script = script(`
local epochs, isKnown = {}, {}
local function know(list)
  for _, epoch in ipairs(list) do
    if not isKnown[epoch] then
      isKnown[epoch] = true
      epochs[#epochs + 1] = epoch
    end
  end
end
know(call('ZRANGE', X, 0, -1))
know(call('SMEMBERS', D))
local most = math.max(1, math.min(tonumber(ARGV[4]), math.floor(tonumber(ARGV[5]) / math.max(1, #epochs))))
local rows, fields, leases = {}, {}, {}
for at, member in ipairs(call('ZRANGEBYLEX', I, ARGV[2], ARGV[3], 'LIMIT', 0, most)) do
  local nul = string.find(member, '\\0', 1, true)
  local period = nul and tonumber(string.sub(member, nul + 2)) or 0
  if nul and string.sub(member, nul + 1, nul + 1) == '0' then period = period - 9007199254740992 end
  fields[at] = int(period) .. ':' .. string.sub(member, 1, (nul or 1) - 1)
  rows[2 * at - 1] = member
  rows[2 * at] = call('HGET', B, fields[at])
end
if #fields > 0 then
  for _, epoch in ipairs(epochs) do
    local helds = call('HMGET', L .. epoch, unpack(fields))
    for at = 1, #fields do
      if helds[at] then
        leases[#leases + 1] = int(at - 1)
        leases[#leases + 1] = epoch
        leases[#leases + 1] = helds[at]
      end
    end
  end
end
return { rows, leases }
`)

/** Answers the budgets of the fields from `ARGV[2]` on. */
export const BUDGETS: Script = script(`return call('HMGET', B, unpack(ARGV, 2))`)

/** `ARGV[2]` a cursor, `ARGV[3]` about how many. Answers the next cursor, and owners as (epoch, owner, label). */
export const OWNER_PAGE: Script = script(`
local found = call('HSCAN', O, ARGV[2], 'COUNT', ARGV[3])
local owners = {}
for at = 1, #found[2], 2 do
  owners[#owners + 1] = found[2][at]
  owners[#owners + 1] = found[2][at + 1]
  owners[#owners + 1] = call('HGET', N, found[2][at])
end
return { found[1], owners }
`)

/** `ARGV[2]` a cursor, `ARGV[3]` about how many. Answers the next cursor, and counters as (key, value). */
export const COUNTER_PAGE: Script = script(`return call('HSCAN', C, ARGV[2], 'COUNT', ARGV[3])`)

/** `ARGV[2]` and `ARGV[3]` the first and the last epoch. Answers those that have leases. */
export const LEASED_EPOCHS: Script = script(`
local keys, leased = {}, {}
for epoch = tonumber(ARGV[2]), tonumber(ARGV[3]) do keys[#keys + 1] = L .. int(epoch) end
if call('EXISTS', unpack(keys)) > 0 then
  for at, key in ipairs(keys) do
    if call('EXISTS', key) == 1 then leased[#leased + 1] = int(tonumber(ARGV[2]) + at - 1) end
  end
end
return leased
`)

/**
 * `ARGV[2]` an epoch, `ARGV[3]` a cursor, `ARGV[4]` about how many. Answers the next cursor, whether the epoch has an owner, whether it is open or burning, and its
 * leases as (field, whether there is a row).
 */
export const LEASE_PAGE: Script = script(`
local found = call('HSCAN', L .. ARGV[2], ARGV[3], 'COUNT', ARGV[4])
local leases = {}
for at = 1, #found[2], 2 do
  leases[at] = found[2][at]
  leases[at + 1] = int(call('HEXISTS', B, found[2][at]))
end
local isLive = call('ZSCORE', X, ARGV[2]) or call('SISMEMBER', D, ARGV[2]) == 1
return { found[1], int(call('HEXISTS', O, ARGV[2])), isLive and '1' or '0', leases }
`)

/**
 * `ARGV[2]` a pattern for the fields, `ARGV[3]` a cursor, `ARGV[4]` about how many. Answers the next cursor, and fields of the hash of reservations as (field, value, value of the
 * field that it names, when it is to be swept).
 */
export const RESERVATION_PAGE: Script = script(`
local found = call('HSCAN', R, ARGV[3], 'MATCH', ARGV[2], 'COUNT', ARGV[4])
local page = {}
for at = 1, #found[2], 2 do
  local field, value = found[2][at], found[2][at + 1]
  local isLink = string.sub(value, 1, 1) == '='
  page[#page + 1] = field
  page[#page + 1] = value
  page[#page + 1] = isLink and call('HGET', R, string.sub(value, 2))
  page[#page + 1] = not isLink and call('ZSCORE', T, field)
end
return { found[1], page }
`)

/** Answers 1 when there is anything that an engine has written, beyond the row of the store. */
export const IS_USED: Script = script(`
if call('EXISTS', O, N, B, M, C, I, W, K, X, D, Z, R, T, E, J, Q) > 0 then return '1' end
local epochs = call('HGET', S, 'epochs')
return epochs and epochs ~= '0' and '1' or '0'
`)
