/** The part of the script `EXCHANGE` that writes what was computed (R2), and makes the outcome. It goes on with the locals of the part before. */
export const EXCHANGE_WRITES: string = `
-- Nothing is refused from here on.
if time > seen then call('HSET', S, 'seen', int(time)) end
if at[3] ~= at[6] then call('HSET', S, 'run', at[3]) end
local function write(command, key, list)
  if #list > 0 then call(command, key, unpack(list)) end
end
write('HSET', B, set)
write('HSET', leases, setLeases)
write('HDEL', leases, endLeases)
write('ZADD', I, index)
write('ZADD', W, want)
write('ZREM', W, unwant)
write('ZADD', K, keep)
write('ZREM', K, unkeep)
write('HSET', C, setCounters)
write('HSET', M, setMints)
if #setMints > 0 then
  call('HINCRBY', S, 'mints', int(#setMints / 2))
  -- P6
  if at[14] ~= '' then
    for i = 1, #setMints, 2 do call('ZADD', J, '0', setMints[i]) end
  end
end
if versions > versions0 then call('HSET', S, 'versions', int(versions)) end
if made > 0 then call('HINCRBY', S, 'rows', int(made)) end
if newCounters > 0 then call('HINCRBY', S, 'counters', int(newCounters)) end
local outcome = '{"granted":[' .. table.concat(granted, ',') .. '],"notes":{' .. table.concat(notes, ',') .. '},"written":{"records":' .. int(records) .. ',"leaseRecords":' .. int(moves) .. '}}'
expiresAt = max(expiresAt, time + life)
call('HSET', O, epoch, pack('<dddddd', 1 - close, seq, time, expiresAt, life, tokenBytes) .. token .. outcome)
if close == 0 then
  call('ZADD', X, int(expiresAt), epoch)
else
  -- S9. What it still has burns.
  call('ZREM', X, epoch)
  call('ZADD', Z, int(time), epoch)
  if call('EXISTS', leases) == 1 then
    call('SADD', D, epoch)
    ended[#ended + 1] = epoch
  end
end
`
