/**
 * Functions of Lua.
 *
 * - `memberOf(field)`: the member of the index for a row, as `memberOf` of keys.ts writes it, and the length of its key
 * - `earlierRow(member, length)`: P2: of the rows with windows of the same key, the packed one with the latest earlier period, and that period; false where there is none
 */
export const EARLIER: string = `
local function memberOf(field)
  local colon = string.find(field, ':', 1, true)
  local period = tonumber(string.sub(field, 1, colon - 1))
  local digits = period < 0 and '\\0000' .. string.format('%016.0f', period + 9007199254740992) or '\\0001' .. string.format('%016.0f', period)
  return string.sub(field, colon + 1) .. digits, #field - colon
end
local function earlierRow(member, length)
  local least = '[' .. string.sub(member, 1, length + 1)
  while true do
    member = call('ZREVRANGEBYLEX', I, '(' .. member, least, 'LIMIT', '0', '1')[1]
    if not member then return false end
    local period = tonumber(string.sub(member, length + 3))
    if string.sub(member, length + 2, length + 2) == '0' then period = period - 9007199254740992 end
    local row = call('HGET', B, int(period) .. ':' .. string.sub(member, 1, length))
    if row and #row >= 104 and struct.unpack('<d', row) == 1 then return row, int(period) end
  end
end
`
