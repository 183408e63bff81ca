import { FIRST_SCHEMA, script, type Script } from './script.ts'

/**
 * Makes the row of the store where there is none. `ARGV[2]`: the generation of new data, `ARGV[3]`: its incarnation, `ARGV[4]`: for how many ms it
 * grants nothing. Answers the state.
 * A store of schema 1 goes on: it had no reservations, and its rows are packed anew as they are written. Programs that know schema 1 alone refuse it from then on. It has no
 * `versions`.
 * The incarnation is there from the first write on: a store without one would not see that it has forgotten.
 */
export const OPEN: Script = script(`
assertWritable()
local at = state()
if at[1] == 'missing' then
  local freezeMs = tonumber(ARGV[4])
  call('HSET', S, 'schema', '${FIRST_SCHEMA}', 'gen', ARGV[2], 'run', runId(), 'epochs', '0', 'seen', '0', 'rows', '0', 'mints', '0', 'counters', '0', 'reservations', '0', 'names', '0', 'versions', '0', 'prunes', '0', 'incarnation', ARGV[3], 'frozen', freezeMs > 0 and int(clock() + freezeMs) or '0')
  at = state()
elseif at[1] == 'older' and at[2] == '1' then
  call('HSET', S, 'schema', '${FIRST_SCHEMA}', 'reservations', '0', 'names', '0')
  at = state()
end
return at
`)

/** Answers sections of INFO; an empty text for one that may not be read. It writes nothing, so that a replica answers too. */
export const INFO: Script = script(`
local sections = {}
for at, name in ipairs({ 'server', 'replication', 'persistence', 'memory', 'cluster' }) do
  local info = redis.pcall('INFO', name)
  sections[at] = type(info) == 'string' and info or ''
end
return sections
`)
