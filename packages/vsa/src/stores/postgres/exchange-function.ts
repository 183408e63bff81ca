import { isDue } from './intents.ts'
import { presentIncarnation } from './life.ts'
import { LEAP_MIN_MS } from '../../core/leap.ts'
import { PERIOD_SLACK_MS } from '../../core/settle-entry.ts'
import { UNITS_MAX } from '../../core/units.ts'
import { LOCK_TIMEOUT_MS } from './transaction.ts'

/** The version is part of the name: during a rolling deploy the function of the other version is there, too. */
export const EXCHANGE = 'exchange_3'

/** What the function says when the general path must decide, after it has made a row: all of it is undone. */
const UNDECIDED = 'VS003'

/**
 * The fast path (stores.md section 0): one function decides a plain batch of a living owner in one round trip, as `transition` does. Whatever is rare is not
 * decided here, so that this copy of the arithmetic stays small: it returns null, or raises `VS003` once rows were made, and the general path decides.
 *
 * The locks are those of `loadExchange`, in the same order: the owner, the rows as they are sorted, the counters. Each statement sees what was committed
 * before it began, so those behind the locks see what the locks guard (P3).
 *
 * Arrays of equal length have an element for each budget entry: `_at` is its index in the batch, `_kind` to `_keep` its policy. `_kind` as a whole is null when
 * no entry has a policy. `_run` numbers the runs of takes from 1, and has an element for each need, as `_need` (an index into the budgets, from 1) and `_cost`.
 */
export function exchangeFunction(schema: string): string {
  return `
create function ${schema}.${EXCHANGE}(
  _epoch bigint, _token text, _seq bigint, _floor bigint,
  _at int[], _key text[], _period bigint[], _known boolean[], _spent bigint[], _refund bigint[], _hold bigint[], _want bigint[],
  _kind text[], _limit bigint[], _burn bigint[], _version bigint[], _ends bigint[], _keep bigint[],
  _n bigint[], _run int[], _need int[], _cost bigint[],
  _counter text[], _add bigint[], _wanted_max int, _incarnation text
) returns text language plpgsql
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
set lock_timeout = '${LOCK_TIMEOUT_MS}' as $vsa$
declare
  _owner ${schema}.owner;
  _time bigint; _seen bigint; _xid xid; _made int := 0; _found int; _odd boolean; _due boolean;
  _pools bigint[]; _taken bigint[]; _granted bigint[] := '{}'; _k bigint; _from int; _to int; _row int;
  _notes jsonb := '{}'; _records int := 0; _moves int := 0;
  _rows text; _counters text; _wanted text; _outcome text;
  _moved_key text[]; _moved_period bigint[]; _moved_held bigint[];
begin
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
  select * into _owner from ${schema}.owner where epoch = _epoch for update;
  if not found or _owner.token <> _token or not _owner.is_open or _seq <> _owner.seq + 1 then return null; end if;

  if _kind is not null then
    -- S4. The time is checked again behind the locks.
    _time := ${schema}.clock_ms();
    insert into ${schema}.budget (key, period, kind, minted, pool, limit_units, burn_max, version, ends_at, keep_until)
    select e.key, e.period, e.kind::"char", e.units, e.units, e.units, e.burn, e.version, e.ends,
      case when e.ends is not null and e.keep is not null then greatest(e.keep, e.ends + ${PERIOD_SLACK_MS}) end
    from unnest(_key, _period, _known, _kind, _limit, _burn, _version, _ends, _keep)
      e(key, period, known, kind, units, burn, version, ends, keep)
    where e.kind is not null and not e.known
      and (e.ends is null or (e.ends > _time - ${PERIOD_SLACK_MS} and e.period <= _time + least(e.ends - e.period, ${PERIOD_SLACK_MS})))
      and not exists (select from ${schema}.budget b where b.key = e.key and b.period = e.period)
      -- P2: a row that takes its terms from the one before it is left out, and so is not found.
      and (e.kind <> 'w' or e.version >= coalesce((select b.version from ${schema}.budget b
        where b.key = e.key and b.period < e.period and b.kind = 'w' order by b.period desc limit 1), 0))
    order by e.key collate "C", e.period
    on conflict do nothing;
    get diagnostics _made = row_count;
    _xid := pg_current_xact_id()::xid;
  end if;
  select count(*) into _found from (
    select from unnest(_key, _period) e(key, period) join ${schema}.budget b on b.key = e.key and b.period = e.period
    order by b.key, b.period for update of b) locked;
  if _counter is not null then
    insert into ${schema}.counter as c (key, value) select e.key, e.units from unnest(_counter, _add) e(key, units)
    where e.units <> 0 order by e.key collate "C" on conflict (key) do update set value = c.value + excluded.value;
    get diagnostics _records = row_count;
  end if;

  -- S1: store time that is ahead of the clock, or leaps, is not decided here. P6: nor is what an epoch that has yet to hear of a deletion sends.
  _time := ${schema}.clock_ms();
  select greatest(s.time_seen, o.seen), coalesce(o.late, false), exists (select from ${schema}.deleted_lease where epoch = _epoch)
    into _seen, _due, _odd from ${schema}.store s,
    (select max(seen_at) seen, bool_or(expires_at < _time and epoch <> _epoch) late from ${schema}.owner where is_open) o;
  _odd := _odd or _found < cardinality(_key) or _time < greatest(_seen, _floor) or (_seen > 0 and _time - _seen > ${LEAP_MIN_MS});
  -- S8: leases of ended epochs are burned first. There are few such epochs, or none.
  if not _odd and exists (select from ${schema}.owner where burning) then
    _due := true;
    _odd := exists (select from unnest(_key, _period) e(key, period), ${schema}.owner o where o.burning and exists (
      select from ${schema}.lease l where l.epoch = o.epoch and l.key = e.key and l.period = e.period offset 0));
  end if;
  -- F1, F3: another incarnation, and a frozen store.
  if not _odd and _incarnation is not null then
    _odd := not exists (select from ${schema}.store s where s.kept_incarnation = _incarnation and s.frozen_until <= _time
      and ${presentIncarnation('s.incarnation')} = _incarnation);
  end if;
  if _odd then raise exception 'vsa: left to the general path' using errcode = '${UNDECIDED}'; end if;

  if _n is not null then
    -- In the order of arrival, from what the pools are after policy, spending and refund.
    select array_agg(b.pool + case when b.kind = 'w' and e.kind = 'w' and e.version > b.version and e.ends = b.ends_at then e.units - b.limit_units else 0 end
        + least(e.refund, b.used + e.spent) order by e.i), array_agg(0::bigint)
      into _pools, _taken
    from unnest(_key, _period, _spent, _refund, _kind, _limit, _version, _ends) with ordinality e(key, period, spent, refund, kind, units, version, ends, i)
      join ${schema}.budget b on b.key = e.key and b.period = e.period;
    _from := 1;
    for _r in 1 .. cardinality(_n) loop
      _k := _n[_r];
      _to := _from;
      while _run[_to] = _r loop
        _k := least(_k, greatest(_pools[_need[_to]], 0) / _cost[_to]);
        _to := _to + 1;
      end loop;
      if _k > 0 then
        for _t in _from .. _to - 1 loop
          _row := _need[_t];
          _pools[_row] := _pools[_row] - _k * _cost[_t];
          _taken[_row] := _taken[_row] + _k * _cost[_t];
        end loop;
      end if;
      _granted := _granted || _k;
      _from := _to;
    end loop;
  end if;

  -- S3 for all rows: settle, then move the leases.
  with changed as materialized (
    select e.i, e.at, e.key, e.period, e.units, e.ends, e.spent, b.ctid id, b.minted, b.used, b.reserved, b.pool, b.burned, b.leased, b.lessees, b.limit_units, b.version,
      b.wanted_until, b.burn_max, b.keep_until, coalesce(l.held, 0) held, coalesce(b.xmin = _xid, false) made, s.*, t.*, m.*, t.rest + m.moved held_after,
      t.pool_before - m.moved pool_after, t.used_after <> b.used or t.minted_after <> b.minted or s.adopts is_record
    from unnest(_at, _key, _period, _spent, _refund, _hold, _want, _kind, _limit, _burn, _version, _ends, _keep, _taken)
      with ordinality e(at, key, period, spent, refund, hold, want, kind, units, burn, version, ends, keep, taken, i)
    join ${schema}.budget b on b.key = e.key and b.period = e.period
    left join ${schema}.lease l on l.epoch = _epoch and l.key = e.key and l.period = e.period
    cross join lateral (
      select coalesce(b.kind = 'w' and e.kind = 'w' and e.version > b.version and e.ends = b.ends_at, false) adopts, least(e.refund, b.used + e.spent) refunded,
        case when e.want > 0 then greatest(b.wanted_until, _time + e.want) when b.wanted_until <= _time then 0 else b.wanted_until end wanted_after
      offset 0) s
    cross join lateral (
      select coalesce(l.held, 0) - e.spent rest, b.used + e.spent - s.refunded + coalesce(e.taken, 0) used_after,
        b.minted + case when s.adopts then e.units - b.limit_units else 0 end minted_after,
        b.pool + case when s.adopts then e.units - b.limit_units else 0 end + s.refunded - coalesce(e.taken, 0) pool_before,
        case when s.adopts then e.units else b.limit_units end limit_after, case when s.adopts then e.version else b.version end version_after,
        case when s.adopts then e.burn else b.burn_max end burn_after,
        case when s.adopts and b.keep_until is not null then greatest(b.keep_until, e.keep) else b.keep_until end keep_after
      offset 0) t
    cross join lateral (
      select case when e.hold <= t.rest then e.hold - t.rest when s.wanted_after <= _time and b.burned < t.burn_after
        then least(e.hold - t.rest, greatest(t.pool_before, 0)) else 0 end moved
      offset 0) m),
  written as (
    update ${schema}.budget b set minted = c.minted_after, used = c.used_after, pool = c.pool_after, leased = c.leased - c.held + c.held_after,
      lessees = c.lessees - (c.held > 0)::int + (c.held_after > 0)::int, wanted_until = c.wanted_after, burn_max = c.burn_after,
      limit_units = c.limit_after, version = c.version_after, keep_until = c.keep_after
    from changed c where b.ctid = c.id and c.rest >= 0 and c.minted_after <= ${UNITS_MAX}
      and (c.is_record or c.pool_after <> c.pool or c.held_after <> c.held or c.wanted_after <> c.wanted_until))
  select string_agg(concat_ws(',', held_after, pool_after, used_after, burned, minted_after, reserved, limit_after, version_after,
      lessees - (held > 0)::int, leased - held), ',' order by i),
    coalesce(jsonb_object_agg(at, jsonb_build_object('refunded', refunded)) filter (where refunded > 0), '{}'),
    _records + count(*) filter (where is_record),
    coalesce(sum((held_after <> held)::int + (not is_record and (made or pool_after <> pool or wanted_after <> wanted_until))::int), 0),
    coalesce(bool_or(rest < 0 or minted_after > ${UNITS_MAX} or minted <> used + reserved + pool + burned + leased
      or leased < held or lessees < (held > 0)::int or (leased = held) <> (lessees = (held > 0)::int) or held < 0
      or least(used, reserved, burned, limit_units, version) < 0 or pool_after < -${UNITS_MAX}
      or greatest(used_after, reserved, burned, leased, limit_units, version, wanted_until) > ${UNITS_MAX}
      or (made and ends <= _time - ${PERIOD_SLACK_MS})), false),
    array_agg(key) filter (where held_after <> held), array_agg(period) filter (where held_after <> held),
    array_agg(held_after) filter (where held_after <> held)
  into _rows, _notes, _records, _moves, _odd, _moved_key, _moved_period, _moved_held from changed;
  -- S6 names the row; S4 was checked at an earlier time.
  if _odd then raise exception 'vsa: left to the general path' using errcode = '${UNDECIDED}'; end if;
  if _moved_key is not null then
    insert into ${schema}.lease as l (epoch, key, period, held)
    select _epoch, e.key, e.period, e.held from unnest(_moved_key, _moved_period, _moved_held) e(key, period, held) where e.held > 0
    on conflict (epoch, key, period) do update set held = excluded.held;
    delete from ${schema}.lease l using unnest(_moved_key, _moved_period, _moved_held) e(key, period, held)
    where e.held = 0 and l.epoch = _epoch and l.key = e.key and l.period = e.period;
  end if;
  if _counter is not null then
    select string_agg(coalesce(c.value, 0)::text, ',' order by e.i), coalesce(bool_or(c.value not between -${UNITS_MAX} and ${UNITS_MAX}), false)
      into _counters, _odd
    from unnest(_counter) with ordinality e(key, i) left join ${schema}.counter c on c.key = e.key;
    if _odd then raise exception 'vsa: left to the general path' using errcode = '${UNDECIDED}'; end if;
  end if;

  _outcome := format('{"granted":%s,"notes":%s,"written":{"records":%s,"leaseRecords":%s}}', array_to_json(_granted), _notes, _records, _moves);
  update ${schema}.owner set seq = _seq, outcome = _outcome, seen_at = _time, expires_at = greatest(expires_at, _time + lease_ttl_ms)
  where epoch = _epoch returning expires_at into _owner.expires_at;
  -- O12. Few rows are wanted.
  if exists (select from ${schema}.budget where wanted_until > 0) then
    select json_agg(json_build_array(w.key, w.period))::text into _wanted from (
      select b.key, b.period from ${schema}.budget b join ${schema}.lease l on l.epoch = _epoch and l.key = b.key and l.period = b.period
      where b.wanted_until > 0 and b.wanted_until > _time limit _wanted_max) w;
  end if;
  _due := _due or exists (select from ${schema}.budget where keep_until < _time and lessees = 0 and reserved = 0)
    or exists (select from ${schema}.reservation where sweep_at <= _time)
    or exists (select from ${schema}.intent i where ${isDue(schema, '_time')});
  return format('{"time":%s,"seen":%s,"expiresAt":%s,"made":%s,"isUpkeepDue":%s,"rows":[%s],"counters":[%s],"wanted":%s,"outcome":%s}',
    _time, _seen, _owner.expires_at, _made, _due::text, _rows, _counters, coalesce(_wanted, '[]'), _outcome);
end $vsa$;
`
}
