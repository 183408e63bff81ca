import { script, type Script } from './script.ts'

/** Answers the budgets of the fields from `ARGV[2]` on. */
export const READ: Script = script(`
local at = state()
if at[1] ~= 'ok' then return { at } end
local rows = {}
for i = 2, #ARGV do rows[i - 1] = call('HGET', B, ARGV[i]) end
return { at, rows }
`)

/**
 * A page of rows, each with all leases on it. `ARGV[2]` and `ARGV[3]` the range of members of the index; `ARGV[4]` the most rows.
 * Answers the state, rows as (field, budget), and leases as (epoch, field, held).
 */
export const LIST: Script = script(`
local at = state()
if at[1] ~= 'ok' then return { at } end
local rows, leased, isLeased = {}, {}, {}
for _, member in ipairs(call('ZRANGEBYLEX', I, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
  local nul = string.find(member, '\\0', 1, true)
  local period = tonumber(string.sub(member, nul + 2))
  if string.sub(member, nul + 1, nul + 1) == '0' then period = period - 9007199254740992 end
  local field = int(period) .. ':' .. string.sub(member, 1, nul - 1)
  local budget = call('HGET', B, field)
  if budget then
    rows[#rows + 1] = field
    rows[#rows + 1] = budget
    if #budget < 56 or struct.unpack('<d', budget, 49) > 0 then
      leased[#leased + 1] = field
      isLeased[field] = true
    end
  end
end
local leases = {}
local function add(epoch, field, held)
  leases[#leases + 1] = epoch
  leases[#leases + 1] = field
  leases[#leases + 1] = held
end
-- Of each epoch, whichever is less: the rows of the page, or its leases.
local function ofEpoch(epoch)
  local key = L .. epoch
  if call('HLEN', key) < #leased then
    local all = call('HGETALL', key)
    for i = 1, #all, 2 do
      if isLeased[all[i]] then add(epoch, all[i], all[i + 1]) end
    end
  else
    for _, field in ipairs(leased) do
      local held = call('HGET', key, field)
      if held then add(epoch, field, held) end
    end
  end
end
if #leased > 0 then
  for _, epoch in ipairs(call('ZRANGE', X, 0, -1)) do ofEpoch(epoch) end
  for _, epoch in ipairs(call('SMEMBERS', D)) do ofEpoch(epoch) end
end
return { at, rows, leases }
`)

/** Answers the state, all owners as (epoch, owner), and all labels as (epoch, label). */
export const OWNERS: Script = script(`
local at = state()
if at[1] ~= 'ok' then return { at } end
return { at, call('HGETALL', O), call('HGETALL', N) }
`)
