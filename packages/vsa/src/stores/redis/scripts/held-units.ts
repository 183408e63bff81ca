/** The most leases of an epoch that are read all at once. */
const ALL_MAX = 512
/** Of fewer rows each is looked up. */
const ROWS_MIN = 8

/**
 * A function of Lua, `heldUnits(leases, names, behind, count)`: what the epoch holds of each of the rows, as text, or false. `leases` is the key of the leases, and `names` has the fields.
 *
 * A small hash is a list to Redis, which it searches from its beginning for each field: 250 of 500 took longer than all else of the script. So of one that has not many more
 * leases than rows are asked for, all are read.
 */
export const HELD_UNITS: string = `
local function heldUnits(leases, names, behind, count)
  if count < ${ROWS_MIN} or call('HLEN', leases) > math.min(2 * count, ${ALL_MAX}) then
    if count == 0 then return {} end
    return call('HMGET', leases, unpack(names, behind + 1, behind + count))
  end
  local all, byField, found = call('HGETALL', leases), {}, {}
  for at = 1, #all, 2 do byField[all[at]] = all[at + 1] end
  for at = 1, count do found[at] = byField[names[behind + at]] or false end
  return found
end
`
