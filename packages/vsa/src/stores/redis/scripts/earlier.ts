/**
 * Functions of Lua.
 *
 * - `memberOf(field)`: the member of the index for a row, as `memberOf` of keys.ts writes it
 * - `earlierRow(field)`: P2: of the rows with windows of the same key, the packed one with the latest earlier period; false where there is none
 */
export const EARLIER: string = `
local function keyAndPeriod(field)
  local colon = string.find(field, ':', 1, true)
  return string.sub(field, colon + 1), tonumber(string.sub(field, 1, colon - 1))
end
local function memberOf(field)
  local key, period = keyAndPeriod(field)
  if period < 0 then return key .. '\\0000' .. string.format('%016.0f', period + 9007199254740992) end
  return key .. '\\0001' .. string.format('%016.0f', period)
end
local function earlierRow(field)
  local key = keyAndPeriod(field)
  local member = memberOf(field)
  while true do
    member = call('ZREVRANGEBYLEX', I, '(' .. member, '[' .. key .. '\\0', 'LIMIT', 0, 1)[1]
    if not member then return false end
    local period = tonumber(string.sub(member, #key + 3))
    if string.sub(member, #key + 2, #key + 2) == '0' then period = period - 9007199254740992 end
    local row = call('HGET', B, int(period) .. ':' .. key)
    if row and #row >= 104 and struct.unpack('<d', row) == 1 then return row end
  end
end
`
