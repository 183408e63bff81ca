import { LOADED_SOURCES_MAX } from '../../../core/reservations/load-bound.ts'

/** A list is put on the stack of Lua, which holds 8,000. */
const LIST_MAX = 2_000

/**
 * Functions of Lua for the loads.
 *
 * - `values(key, fields)`: of a hash, false for a field that is not there
 * - `endedLeases(fields, epoch)`: leases on rows that ended epochs other than this one have, as a flat list of (epoch, position from 0, held)
 * - `readReservations(fields, budgets, counters, most, first)`: for each field its value and, where that is the name of another field that was not read before, the value of that one. The rows
 *   that the units came from are added to the two lists; those of a reservation that cannot be read are not. Once those behind the first ones together have so many sources, the other fields are left: the second result is how many were read.
 */
export const READ_ROWS: string = `
local function values(key, fields)
  local count = #fields
  if count == 0 then return {} end
  if count <= ${LIST_MAX} then return call('HMGET', key, unpack(fields)) end
  local found = {}
  for from = 1, count, ${LIST_MAX} do
    for _, value in ipairs(call('HMGET', key, unpack(fields, from, math.min(from + ${LIST_MAX - 1}, count)))) do
      found[#found + 1] = value
    end
  end
  return found
end

local function endedLeases(fields, epoch)
  local ended = {}
  if #fields == 0 then return ended end
  for _, other in ipairs(call('SMEMBERS', D)) do
    if other ~= epoch then
      local helds = values(L .. other, fields)
      for i = 1, #fields do
        if helds[i] then
          ended[#ended + 1] = other
          ended[#ended + 1] = int(i - 1)
          ended[#ended + 1] = helds[i]
        end
      end
    end
  end
  return ended
end

local function adder(list)
  local isThere = {}
  for _, one in ipairs(list) do isThere[one] = true end
  return function(more)
    for _, one in ipairs(more) do
      if type(one) == 'string' and not isThere[one] then
        isThere[one] = true
        list[#list + 1] = one
      end
    end
    return #more
  end
end

local function readReservations(fields, budgets, counters, most, first)
  local found = {}
  if #fields == 0 then return found, 0 end
  local addBudgets, addCounters = adder(budgets), adder(counters)
  local isKnown, sources = {}, 0
  for at, value in ipairs(values(R, fields)) do
    if sources >= most then return found, at - 1 end
    local link = value and string.sub(value, 1, 1) == '=' and string.sub(value, 2)
    local own = link or fields[at]
    local row = link and not isKnown[own] and call('HGET', R, link)
    found[2 * at - 1], found[2 * at] = value, row
    local json = not isKnown[own] and (link and row or not link and value)
    isKnown[own] = true
    local isRead, reservation = pcall(cjson.decode, json)
    if json and isRead and type(reservation) == 'table' then
      local more = 0
      if type(reservation.rows) == 'table' then more = more + addBudgets(reservation.rows) end
      if type(reservation.counters) == 'table' then more = more + addCounters(reservation.counters) end
      if at > first then sources = sources + more end
    end
  end
  return found, #fields
end

-- Only the fields that were read.
local function readFirst(fields, budgets, counters)
  local found, count = readReservations(fields, budgets, counters, ${LOADED_SOURCES_MAX}, 0)
  for i = #fields, count + 1, -1 do fields[i] = nil end
  return found
end
`
