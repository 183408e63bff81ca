import { script, type Script } from './script.ts'

/**
 * `ARGV[2]` how far store time may be past the latest that was kept while the clock is behind it, in ms; `ARGV[3]` the most leases; `ARGV[4]` the
 * most rows; `ARGV[5]` how long ended owners are kept, in ms.
 * Answers the state; late owners as (epoch, owner, leases); ended epochs as (epoch, leases); leases of those as (epoch, field, held, budget);
 * rows to remove as (field, budget); when the next row may be removed; epochs to forget; when the next reservation is to be swept.
 */
export const LOAD_UPKEEP: Script = script(`
assertWritable()
local at = state()
if at[1] ~= 'ok' then return { at } end
local now, seen = tonumber(at[2]), tonumber(at[4])
local leasesMax, rowsMax = tonumber(ARGV[3]), tonumber(ARGV[4])
local lateAt = now < seen and seen + tonumber(ARGV[2]) or now

local late = {}
for _, epoch in ipairs(call('ZRANGEBYSCORE', X, '-inf', '(' .. int(lateAt))) do
  late[#late + 1] = epoch
  late[#late + 1] = call('HGET', O, epoch)
  late[#late + 1] = int(call('HLEN', L .. epoch))
end

local burning, ended, left = {}, {}, leasesMax
for _, epoch in ipairs(call('SMEMBERS', D)) do
  burning[#burning + 1] = epoch
  burning[#burning + 1] = int(call('HLEN', L .. epoch))
  local cursor = '0'
  repeat
    if left <= 0 then break end
    local found = call('HSCAN', L .. epoch, cursor, 'COUNT', left)
    cursor = found[1]
    for i = 1, #found[2], 2 do
      if left > 0 then
        local field = found[2][i]
        ended[#ended + 1] = epoch
        ended[#ended + 1] = field
        ended[#ended + 1] = found[2][i + 1]
        ended[#ended + 1] = call('HGET', B, field)
        left = left - 1
      end
    end
  until cursor == '0'
end

local prunable = {}
for _, field in ipairs(call('ZRANGEBYSCORE', K, '-inf', '(' .. int(now), 'LIMIT', 0, rowsMax)) do
  prunable[#prunable + 1] = field
  prunable[#prunable + 1] = call('HGET', B, field)
end
local nextOne = call('ZRANGEBYSCORE', K, int(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)

local forgettable = {}
local kept = int(now - tonumber(ARGV[5]))
for _, epoch in ipairs(call('ZRANGEBYSCORE', Z, '-inf', '(' .. kept, 'LIMIT', 0, rowsMax + #burning / 2)) do
  if #forgettable < rowsMax and call('SISMEMBER', D, epoch) == 0 then forgettable[#forgettable + 1] = epoch end
end
local sweep = call('ZRANGE', T, 0, 0, 'WITHSCORES')
return { at, late, burning, ended, prunable, nextOne[2] or '', forgettable, sweep[2] or '' }
`)
