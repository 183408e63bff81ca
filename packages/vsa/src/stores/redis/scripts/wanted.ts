/** The most rows that are looked at for those that are wanted and leased by one epoch. */
const LOOKED_AT_MAX = 10_000

/**
 * O12: a function of Lua, `wantedRows(leases, time, most)`, where `leases` is the key of the epoch's leases. Answers rows of the epoch that are wanted
 * beyond the time, as a flat list of fields and times.
 */
export const WANTED_ROWS: string = `
local function wantedRows(leases, time, most)
  local found = {}
  local rows = call('ZRANGEBYSCORE', W, '(' .. int(time), '+inf', 'WITHSCORES', 'LIMIT', 0, ${LOOKED_AT_MAX})
  if #rows == 0 or call('EXISTS', leases) == 0 then return found end
  for i = 1, #rows, 2 do
    if #found >= 2 * most then break end
    if call('HEXISTS', leases, rows[i]) == 1 then
      found[#found + 1] = rows[i]
      found[#found + 1] = rows[i + 1]
    end
  end
  return found
end
`
