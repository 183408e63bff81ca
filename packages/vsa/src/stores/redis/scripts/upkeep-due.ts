import { OWNERS_KEPT_MS } from '../../../core/maintain.ts'

/** So many expired owners are looked at one by one, whether they hold anything; more are left to the upkeep. */
const LATE_MAX = 16

/**
 * A function of Lua, `isUpkeepDue(time)`: whether an upkeep would find expired owners that hold something, or that held nothing for long; leases of
 * ended epochs; rows to remove; or owners to forget.
 */
export const UPKEEP_DUE: string = `
local function isUpkeepDue(time)
  if call('EXISTS', D) == 1 then return true end
  if call('ZCOUNT', K, '-inf', '(' .. int(time)) > 0 then return true end
  local old = '(' .. int(time - ${OWNERS_KEPT_MS})
  if call('ZCOUNT', Z, '-inf', old) > 0 or call('ZCOUNT', X, '-inf', old) > 0 then return true end
  local late = call('ZRANGEBYSCORE', X, '-inf', '(' .. int(time), 'LIMIT', 0, ${LATE_MAX})
  if #late == ${LATE_MAX} then return true end
  for _, other in ipairs(late) do
    if call('EXISTS', L .. other) == 1 then return true end
  end
  return false
end
`
