/**
 * The part of the script `EXCHANGE` that decides its entries one by one. It goes on with the locals of the part before.
 *
 * Nearly all entries of a busy owner settle and renew a lease, and nothing else: no policy, mint, take, refund or wanted row, and the lease goes on. Those are decided in the loop
 * itself, by locals alone: `settle` and `finish` took a third more time. Whatever is not so, or does not balance, is left to `settle` as it was found.
 */
export const USUAL_ENTRIES: string = `
local isBare = policies + mints + runs == 0
for i = 1, budgets do
  local field, row, held0 = names[3 + i], rows[i], helds[i]
  local isDecided = false
  if row and held0 and #row == 120 and (isBare or not (policyAt[i] or mintOf[i] or isTaken[i])) then
    local spent, refund, hold, wantMs = unp('<dddd', data, 33 + i * 48)
    if refund == 0 and wantMs == 0 then
      local kind, minted, used, pool, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets = unp(ROW, row)
      held0 = tonumber(held0)
      local held = held0 - spent
      local change = hold - held
      if change > 0 then
        if burned >= burnMax or pool <= 0 then change = 0 elseif change > pool then change = pool end
      end
      held = held + change
      if wanted == 0 and held > 0 and minted - used - reserved - burned - leased == pool and leased >= held0 and spent <= held0 then
        isDecided = true
        if held ~= held0 then
          leased = leased - held0 + held
          setLeases[#setLeases + 1] = field
          setLeases[#setLeases + 1] = int(held)
          moves = moves + 1
        end
        if spent > 0 or change ~= 0 then
          row = pack(ROW, kind, minted, used + spent, pool - change, burned, leased, lessees, limit, burnMax, version, wanted, endsAt, keepUntil, reserved, resets)
          set[setSize + 1], set[setSize + 2] = field, row
          setSize = setSize + 2
          if spent > 0 then records = records + 1 else moves = moves + 1 end
        end
        out[i], holds[i] = row, held
      end
    end
  end
  if not isDecided and not settle(i) then return false end
end
`
