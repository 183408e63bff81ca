import { createHash } from 'node:crypto'

/** The newest schema that this code knows: that of a store whose first key was deleted (P6). Programs that know no deletions refuse it (`schema_too_new`). */
export const SCHEMA_VERSION = 3
/** The schema that stores begin with, and the one that it makes of older ones. */
export const FIRST_SCHEMA = 2

/** A Lua script, which the server keeps under its SHA-1. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/**
 * What every script begins with: its keys, the time (R1), and the state of the store. `ARGV[1]` is the time in ms, which only tests give.
 *
 * - Numbers in texts are written by `int`: `tostring` loses digits above 10^14 (R3).
 * - `state` answers a refusal and nothing else where the keys are not those of a whole store (R6).
 */
const PRELUDE = `
local S, O, N, B, M, C, I, W, K, X, D, Z, R, T, E, J, Q = unpack(KEYS)
local L, U = string.sub(S, 1, -2) .. 'l:', string.sub(S, 1, -2) .. 'u:'
local call = redis.call
local function int(number) return string.format('%.0f', number) end

local function clock()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Which process keeps the data; empty where it may not be read.
local function runId()
  local info = redis.pcall('INFO', 'server')
  if type(info) ~= 'string' then return '' end
  local _, before = string.find(info, 'run_id:', 1, true)
  return before and string.match(info, '^%x+', before + 1) or ''
end

local function miscounted(key, command, count)
  local found = call(command, key)
  if found ~= tonumber(count) then return 'the key ' .. key .. ' has ' .. int(found) .. ' elements of ' .. tostring(count) .. ' that were written' end
end

local function state()
  local s = call('HMGET', S, 'schema', 'rows', 'mints', 'counters', 'seen', 'gen', 'run', 'epochs', 'prunes', 'leap', 'incarnation', 'frozen', 'reservations', 'names', 'versions', 'deletions')
  if not s[1] then
    if call('EXISTS', O, N, B, M, C, I, W, K, X, D, Z, R, T, E, J, Q) > 0 then return { 'damaged', 'the key ' .. S .. ' is missing, and others of the store are not' } end
    return { 'missing' }
  end
  if s[1] ~= '${FIRST_SCHEMA}' and s[1] ~= '${SCHEMA_VERSION}' then return { tonumber(s[1]) > ${SCHEMA_VERSION} and 'newer' or 'older', s[1] } end
  local damage = miscounted(B, 'HLEN', s[2]) or miscounted(I, 'ZCARD', s[2]) or miscounted(M, 'HLEN', s[3]) or miscounted(C, 'HLEN', s[4]) or miscounted(T, 'ZCARD', s[13]) or miscounted(R, 'HLEN', s[14])
  if damage then return { 'damaged', damage } end
  return { 'ok', int(clock()), runId(), s[5], s[6], s[7], s[8], s[9], s[10] or '', s[11] or '', s[12] or '0', s[13], s[15] or '', s[16] or '' }
end

-- A replica, or a server that refuses to write, must not decide by what it has: no write follows an answer such as 'fenced'.
local function assertWritable() call('DEL', S .. ':none') end
`

/** @param body Lua, behind the prelude */
export function script(body: string): Script {
  const text = `${PRELUDE}${body}`
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
