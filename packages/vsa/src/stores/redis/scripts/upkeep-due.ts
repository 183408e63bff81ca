import { OWNERS_KEPT_MS } from '../../../core/maintain.ts'

/** So many expired owners are looked at one by one, whether they hold anything; more are left to the upkeep. */
const LATE_MAX = 16

/**
 * A function of Lua, `isUpkeepDue(time, ended, reservations)`, where `ended` is a list of the members of `D`, and `reservations` the number of them as text: whether an upkeep would find expired owners that hold
 * something, or that held nothing for long; leases of ended epochs; rows to remove; reservations to sweep; or owners to forget.
 */
export const UPKEEP_DUE: string = `
local function isUpkeepDue(time, ended, reservations)
  if #ended > 0 then return true end
  if call('ZCOUNT', K, '-inf', '(' .. int(time)) > 0 then return true end
  if reservations ~= '0' and call('ZCOUNT', T, '-inf', int(time)) > 0 then return true end
  local old = time - ${OWNERS_KEPT_MS}
  if call('ZCOUNT', Z, '-inf', '(' .. int(old)) > 0 then return true end
  local late = call('ZRANGEBYSCORE', X, '-inf', '(' .. int(time), 'WITHSCORES', 'LIMIT', 0, ${LATE_MAX})
  if #late == ${LATE_MAX} * 2 or (late[2] and tonumber(late[2]) < old) then return true end
  for i = 1, #late, 2 do
    if call('EXISTS', L .. late[i]) == 1 then return true end
  end
  return false
end
`
