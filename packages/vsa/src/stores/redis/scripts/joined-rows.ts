/** Rows that are joined at once: each is in a register of Lua. */
const JOINED_MAX = 50
/** So few are not worth all those registers. */
const FEW_MAX = 10

const ROWS: readonly string[] = Array.from({ length: JOINED_MAX }, (_, at) => `r${at}`)

/**
 * A function of Lua, `joined(rows, count)`: the rows as few texts, in order. One operation joins 50 of them: `table.concat` hashes each byte several times, which took as
 * long as packing the rows.
 */
export const JOINED_ROWS: string = `
local function joined(rows, count)
  if count <= ${FEW_MAX} then return { table.concat(rows) } end
  local texts = {}
  for from = 1, count, ${JOINED_MAX} do
    for at = count + 1, from + ${JOINED_MAX - 1} do rows[at] = '' end
    local ${ROWS.join(', ')} = unpack(rows, from, from + ${JOINED_MAX - 1})
    texts[#texts + 1] = ${ROWS.join(' .. ')}
  end
  return texts
end
`
