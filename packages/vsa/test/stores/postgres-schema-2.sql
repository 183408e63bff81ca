begin;
select pg_advisory_xact_lock(hashtextextended(E'vsa:SCHEMA', 0));
do $schema$
declare
  granted record;
begin
  if exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = E'SCHEMA' and c.relname = 'store') then
    if (select schema_version from "SCHEMA".store) = 1 then
      
alter table "SCHEMA".budget add column reserved bigint not null default 0 check (reserved >= 0),
  add column resets bigint not null default 0,
  drop constraint books_balance, add constraint books_balance check (minted = used + reserved + pool + burned + leased);

create table "SCHEMA".reservation (
  hash bytea primary key,
  link bytea,
  key text collate "C" not null,
  id text collate "C" not null,
  remembered_as text check (remembered_as in ('reservation', 'admission')),
  request text,
  on_expire text check (on_expire in ('return', 'capture')),
  lots text,
  sweep_at bigint,
  source_keys text[],
  source_periods bigint[],
  constraint request_or_link check (num_nulls(remembered_as, request, on_expire, lots, sweep_at, source_keys, source_periods)
    = case when link is null then 0 else 7 end)
) with (fillfactor = 70);
create index reservation_link on "SCHEMA".reservation (link) where link is not null;
create index reservation_key on "SCHEMA".reservation (key, hash);
create index reservation_sweep on "SCHEMA".reservation (sweep_at) where sweep_at is not null;

create table "SCHEMA".intent (
  number bigint generated always as identity primary key,
  hash bytea not null,
  key text collate "C" not null,
  id text collate "C" not null,
  op text not null check (op in ('settle', 'mint')),
  units bigint not null check (units between 0 and 9007199254740991)
);
create index intent_hash on "SCHEMA".intent (hash);


create function "SCHEMA".exchange_2(
  _epoch bigint, _token text, _seq bigint, _floor bigint,
  _at int[], _key text[], _period bigint[], _known boolean[], _spent bigint[], _refund bigint[], _hold bigint[], _want bigint[],
  _kind text[], _limit bigint[], _burn bigint[], _version bigint[], _ends bigint[], _keep bigint[],
  _n bigint[], _run int[], _need int[], _cost bigint[],
  _counter text[], _add bigint[], _wanted_max int, _incarnation text
) returns text language plpgsql
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
set lock_timeout = '2000' as $vsa$
declare
  _owner "SCHEMA".owner;
  _time bigint; _seen bigint; _xid xid; _made int := 0; _found int; _odd boolean; _due boolean;
  _pools bigint[]; _taken bigint[]; _granted bigint[] := '{}'; _k bigint; _from int; _to int; _row int;
  _notes jsonb := '{}'; _records int := 0; _moves int := 0;
  _rows text; _counters text; _wanted text; _outcome text;
  _moved_key text[]; _moved_period bigint[]; _moved_held bigint[];
begin
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
  select * into _owner from "SCHEMA".owner where epoch = _epoch for update;
  if not found or _owner.token <> _token or not _owner.is_open or _seq <> _owner.seq + 1 then return null; end if;

  if _kind is not null then
    -- S4. The time is checked again behind the locks.
    _time := "SCHEMA".clock_ms();
    insert into "SCHEMA".budget (key, period, kind, minted, pool, limit_units, burn_max, version, ends_at, keep_until)
    select e.key, e.period, e.kind::"char", e.units, e.units, e.units, e.burn, e.version, e.ends,
      case when e.ends is not null and e.keep is not null then greatest(e.keep, e.ends + 60000) end
    from unnest(_key, _period, _known, _kind, _limit, _burn, _version, _ends, _keep)
      e(key, period, known, kind, units, burn, version, ends, keep)
    where e.kind is not null and not e.known
      and (e.ends is null or (e.ends > _time - 60000 and e.period <= _time + least(e.ends - e.period, 60000)))
      and not exists (select from "SCHEMA".budget b where b.key = e.key and b.period = e.period)
      -- P2: a row that takes its terms from the one before it is left out, and so is not found.
      and (e.kind <> 'w' or e.version >= coalesce((select b.version from "SCHEMA".budget b
        where b.key = e.key and b.period < e.period and b.kind = 'w' order by b.period desc limit 1), 0))
    order by e.key collate "C", e.period
    on conflict do nothing;
    get diagnostics _made = row_count;
    _xid := pg_current_xact_id()::xid;
  end if;
  select count(*) into _found from (
    select from unnest(_key, _period) e(key, period) join "SCHEMA".budget b on b.key = e.key and b.period = e.period
    order by b.key, b.period for update of b) locked;
  if _counter is not null then
    insert into "SCHEMA".counter as c (key, value) select e.key, e.units from unnest(_counter, _add) e(key, units)
    where e.units <> 0 order by e.key collate "C" on conflict (key) do update set value = c.value + excluded.value;
    get diagnostics _records = row_count;
  end if;

  -- S1: store time that is ahead of the clock, or leaps, is not decided here.
  _time := "SCHEMA".clock_ms();
  select greatest(s.time_seen, o.seen), coalesce(o.late, false) into _seen, _due from "SCHEMA".store s,
    (select max(seen_at) seen, bool_or(expires_at < _time and epoch <> _epoch) late from "SCHEMA".owner where is_open) o;
  _odd := _found < cardinality(_key) or _time < greatest(_seen, _floor) or (_seen > 0 and _time - _seen > 3600000);
  -- S8: leases of ended epochs are burned first. There are few such epochs, or none.
  if not _odd and exists (select from "SCHEMA".owner where burning) then
    _due := true;
    _odd := exists (select from unnest(_key, _period) e(key, period), "SCHEMA".owner o where o.burning and exists (
      select from "SCHEMA".lease l where l.epoch = o.epoch and l.key = e.key and l.period = e.period offset 0));
  end if;
  -- F1, F3: another incarnation, and a frozen store.
  if not _odd and _incarnation is not null then
    _odd := not exists (select from "SCHEMA".store s where s.kept_incarnation = _incarnation and s.frozen_until <= _time
      and s.incarnation::text || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) = _incarnation);
  end if;
  if _odd then raise exception 'vsa: left to the general path' using errcode = 'VS003'; end if;

  if _n is not null then
    -- In the order of arrival, from what the pools are after policy, spending and refund.
    select array_agg(b.pool + case when b.kind = 'w' and e.kind = 'w' and e.version > b.version and e.ends = b.ends_at then e.units - b.limit_units else 0 end
        + least(e.refund, b.used + e.spent) order by e.i), array_agg(0::bigint)
      into _pools, _taken
    from unnest(_key, _period, _spent, _refund, _kind, _limit, _version, _ends) with ordinality e(key, period, spent, refund, kind, units, version, ends, i)
      join "SCHEMA".budget b on b.key = e.key and b.period = e.period;
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
    join "SCHEMA".budget b on b.key = e.key and b.period = e.period
    left join "SCHEMA".lease l on l.epoch = _epoch and l.key = e.key and l.period = e.period
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
    update "SCHEMA".budget b set minted = c.minted_after, used = c.used_after, pool = c.pool_after, leased = c.leased - c.held + c.held_after,
      lessees = c.lessees - (c.held > 0)::int + (c.held_after > 0)::int, wanted_until = c.wanted_after, burn_max = c.burn_after,
      limit_units = c.limit_after, version = c.version_after, keep_until = c.keep_after
    from changed c where b.ctid = c.id and c.rest >= 0 and c.minted_after <= 9007199254740991
      and (c.is_record or c.pool_after <> c.pool or c.held_after <> c.held or c.wanted_after <> c.wanted_until))
  select string_agg(concat_ws(',', held_after, pool_after, used_after, burned, minted_after, reserved, limit_after, version_after,
      lessees - (held > 0)::int, leased - held), ',' order by i),
    coalesce(jsonb_object_agg(at, jsonb_build_object('refunded', refunded)) filter (where refunded > 0), '{}'),
    _records + count(*) filter (where is_record),
    coalesce(sum((held_after <> held)::int + (not is_record and (made or pool_after <> pool or wanted_after <> wanted_until))::int), 0),
    coalesce(bool_or(rest < 0 or minted_after > 9007199254740991 or minted <> used + reserved + pool + burned + leased
      or (made and ends <= _time - 60000)), false),
    array_agg(key) filter (where held_after <> held), array_agg(period) filter (where held_after <> held),
    array_agg(held_after) filter (where held_after <> held)
  into _rows, _notes, _records, _moves, _odd, _moved_key, _moved_period, _moved_held from changed;
  -- S6 names the row; S4 was checked at an earlier time.
  if _odd then raise exception 'vsa: left to the general path' using errcode = 'VS003'; end if;
  if _moved_key is not null then
    insert into "SCHEMA".lease as l (epoch, key, period, held)
    select _epoch, e.key, e.period, e.held from unnest(_moved_key, _moved_period, _moved_held) e(key, period, held) where e.held > 0
    on conflict (epoch, key, period) do update set held = excluded.held;
    delete from "SCHEMA".lease l using unnest(_moved_key, _moved_period, _moved_held) e(key, period, held)
    where e.held = 0 and l.epoch = _epoch and l.key = e.key and l.period = e.period;
  end if;
  if _counter is not null then
    select string_agg(coalesce(c.value, 0)::text, ',' order by e.i) into _counters
    from unnest(_counter) with ordinality e(key, i) left join "SCHEMA".counter c on c.key = e.key;
  end if;

  _outcome := format('{"granted":%s,"notes":%s,"written":{"records":%s,"leaseRecords":%s}}', array_to_json(_granted), _notes, _records, _moves);
  update "SCHEMA".owner set seq = _seq, outcome = _outcome, seen_at = _time, expires_at = greatest(expires_at, _time + lease_ttl_ms)
  where epoch = _epoch returning expires_at into _owner.expires_at;
  -- O12. Few rows are wanted.
  if exists (select from "SCHEMA".budget where wanted_until > 0) then
    select json_agg(json_build_array(w.key, w.period))::text into _wanted from (
      select b.key, b.period from "SCHEMA".budget b join "SCHEMA".lease l on l.epoch = _epoch and l.key = b.key and l.period = b.period
      where b.wanted_until > 0 and b.wanted_until > _time limit _wanted_max) w;
  end if;
  _due := _due or exists (select from "SCHEMA".budget where keep_until < _time and lessees = 0 and reserved = 0)
    or exists (select from "SCHEMA".reservation where sweep_at <= _time)
    or exists (select from "SCHEMA".intent i where (i.op = 'settle' or exists (select from "SCHEMA".budget b where b.key = i.key and b.kind <> 's' and b.period <= _time offset 0)));
  return format('{"time":%s,"seen":%s,"expiresAt":%s,"made":%s,"isUpkeepDue":%s,"rows":[%s],"counters":[%s],"wanted":%s,"outcome":%s}',
    _time, _seen, _owner.expires_at, _made, _due::text, _rows, _counters, coalesce(_wanted, '[]'), _outcome);
end $vsa$;

for granted in select case a.grantee when 0 then 'public' else a.grantee::regrole::text end as role, a.privilege_type as privilege
  from pg_class c, aclexplode(c.relacl) a where c.oid = E'"SCHEMA".budget'::regclass and a.grantee <> c.relowner
loop
  execute concat('grant ', granted.privilege, E' on "SCHEMA".reservation, "SCHEMA".intent to ', granted.role);
end loop;
update "SCHEMA".store set schema_version = 2;
      perform set_config('vsa.done', 'migrated', true);
    end if;
    return;
  end if;
  if not exists (select from pg_namespace where nspname = E'SCHEMA') then create schema "SCHEMA"; end if;
  
create table "SCHEMA".store (
  one boolean primary key default true check (one),
  schema_version int not null,
  incarnation uuid not null,
  kept_incarnation text not null,
  frozen_until bigint not null default 0,
  epochs bigint not null default 0,
  time_seen bigint not null default 0,
  leapt_from bigint not null default 0,
  leapt_at bigint not null default 0,
  leapt_until bigint not null default 0,
  pruned_until bigint not null default 0
) with (fillfactor = 10);
insert into "SCHEMA".store (schema_version, incarnation, kept_incarnation)
select 2, id, id::text || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) from gen_random_uuid() id;

create table "SCHEMA".owner (
  epoch bigint primary key,
  token text not null,
  label text not null,
  is_open boolean not null,
  burning boolean not null,
  seq bigint not null,
  outcome text not null,
  seen_at bigint not null,
  expires_at bigint not null,
  lease_ttl_ms bigint not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 100);
alter table "SCHEMA".owner alter column outcome set storage main;
create index owner_open on "SCHEMA".owner (epoch) where is_open;
create index owner_burning on "SCHEMA".owner (epoch) where burning;

create table "SCHEMA".budget (
  key text collate "C" not null,
  period bigint not null,
  kind "char" not null default 's' check (kind in ('i', 'w', 's')),
  minted bigint not null default 0 check (minted >= 0),
  used bigint not null default 0 check (used >= 0),
  reserved bigint not null default 0 check (reserved >= 0),
  pool bigint not null default 0,
  burned bigint not null default 0 check (burned >= 0),
  leased bigint not null default 0 check (leased >= 0),
  lessees int not null default 0 check (lessees >= 0 and (lessees = 0) = (leased = 0)),
  limit_units bigint not null default 0,
  burn_max bigint not null default 0,
  version bigint not null default 0,
  resets bigint not null default 0,
  wanted_until bigint not null default 0,
  ends_at bigint,
  keep_until bigint,
  primary key (key, period),
  constraint books_balance check (minted = used + reserved + pool + burned + leased)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index budget_wanted on "SCHEMA".budget (wanted_until) where wanted_until > 0;
create index budget_kept on "SCHEMA".budget (keep_until) where keep_until is not null;

create table "SCHEMA".lease (
  key text collate "C" not null,
  period bigint not null,
  epoch bigint not null,
  held bigint not null check (held > 0),
  primary key (epoch, key, period)
) with (fillfactor = 70);

create table "SCHEMA".mint (
  hash bytea primary key,
  key text collate "C" not null,
  id text not null,
  units bigint not null
);

create table "SCHEMA".counter (
  key text collate "C" primary key,
  value bigint not null check (value between -9007199254740991 and 9007199254740991)
) with (fillfactor = 70);


create table "SCHEMA".reservation (
  hash bytea primary key,
  link bytea,
  key text collate "C" not null,
  id text collate "C" not null,
  remembered_as text check (remembered_as in ('reservation', 'admission')),
  request text,
  on_expire text check (on_expire in ('return', 'capture')),
  lots text,
  sweep_at bigint,
  source_keys text[],
  source_periods bigint[],
  constraint request_or_link check (num_nulls(remembered_as, request, on_expire, lots, sweep_at, source_keys, source_periods)
    = case when link is null then 0 else 7 end)
) with (fillfactor = 70);
create index reservation_link on "SCHEMA".reservation (link) where link is not null;
create index reservation_key on "SCHEMA".reservation (key, hash);
create index reservation_sweep on "SCHEMA".reservation (sweep_at) where sweep_at is not null;

create table "SCHEMA".intent (
  number bigint generated always as identity primary key,
  hash bytea not null,
  key text collate "C" not null,
  id text collate "C" not null,
  op text not null check (op in ('settle', 'mint')),
  units bigint not null check (units between 0 and 9007199254740991)
);
create index intent_hash on "SCHEMA".intent (hash);

create function "SCHEMA".clock_ms() returns bigint language sql volatile as
  'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint';

create function "SCHEMA".exchange_2(
  _epoch bigint, _token text, _seq bigint, _floor bigint,
  _at int[], _key text[], _period bigint[], _known boolean[], _spent bigint[], _refund bigint[], _hold bigint[], _want bigint[],
  _kind text[], _limit bigint[], _burn bigint[], _version bigint[], _ends bigint[], _keep bigint[],
  _n bigint[], _run int[], _need int[], _cost bigint[],
  _counter text[], _add bigint[], _wanted_max int, _incarnation text
) returns text language plpgsql
set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
set lock_timeout = '2000' as $vsa$
declare
  _owner "SCHEMA".owner;
  _time bigint; _seen bigint; _xid xid; _made int := 0; _found int; _odd boolean; _due boolean;
  _pools bigint[]; _taken bigint[]; _granted bigint[] := '{}'; _k bigint; _from int; _to int; _row int;
  _notes jsonb := '{}'; _records int := 0; _moves int := 0;
  _rows text; _counters text; _wanted text; _outcome text;
  _moved_key text[]; _moved_period bigint[]; _moved_held bigint[];
begin
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
  select * into _owner from "SCHEMA".owner where epoch = _epoch for update;
  if not found or _owner.token <> _token or not _owner.is_open or _seq <> _owner.seq + 1 then return null; end if;

  if _kind is not null then
    -- S4. The time is checked again behind the locks.
    _time := "SCHEMA".clock_ms();
    insert into "SCHEMA".budget (key, period, kind, minted, pool, limit_units, burn_max, version, ends_at, keep_until)
    select e.key, e.period, e.kind::"char", e.units, e.units, e.units, e.burn, e.version, e.ends,
      case when e.ends is not null and e.keep is not null then greatest(e.keep, e.ends + 60000) end
    from unnest(_key, _period, _known, _kind, _limit, _burn, _version, _ends, _keep)
      e(key, period, known, kind, units, burn, version, ends, keep)
    where e.kind is not null and not e.known
      and (e.ends is null or (e.ends > _time - 60000 and e.period <= _time + least(e.ends - e.period, 60000)))
      and not exists (select from "SCHEMA".budget b where b.key = e.key and b.period = e.period)
      -- P2: a row that takes its terms from the one before it is left out, and so is not found.
      and (e.kind <> 'w' or e.version >= coalesce((select b.version from "SCHEMA".budget b
        where b.key = e.key and b.period < e.period and b.kind = 'w' order by b.period desc limit 1), 0))
    order by e.key collate "C", e.period
    on conflict do nothing;
    get diagnostics _made = row_count;
    _xid := pg_current_xact_id()::xid;
  end if;
  select count(*) into _found from (
    select from unnest(_key, _period) e(key, period) join "SCHEMA".budget b on b.key = e.key and b.period = e.period
    order by b.key, b.period for update of b) locked;
  if _counter is not null then
    insert into "SCHEMA".counter as c (key, value) select e.key, e.units from unnest(_counter, _add) e(key, units)
    where e.units <> 0 order by e.key collate "C" on conflict (key) do update set value = c.value + excluded.value;
    get diagnostics _records = row_count;
  end if;

  -- S1: store time that is ahead of the clock, or leaps, is not decided here.
  _time := "SCHEMA".clock_ms();
  select greatest(s.time_seen, o.seen), coalesce(o.late, false) into _seen, _due from "SCHEMA".store s,
    (select max(seen_at) seen, bool_or(expires_at < _time and epoch <> _epoch) late from "SCHEMA".owner where is_open) o;
  _odd := _found < cardinality(_key) or _time < greatest(_seen, _floor) or (_seen > 0 and _time - _seen > 3600000);
  -- S8: leases of ended epochs are burned first. There are few such epochs, or none.
  if not _odd and exists (select from "SCHEMA".owner where burning) then
    _due := true;
    _odd := exists (select from unnest(_key, _period) e(key, period), "SCHEMA".owner o where o.burning and exists (
      select from "SCHEMA".lease l where l.epoch = o.epoch and l.key = e.key and l.period = e.period offset 0));
  end if;
  -- F1, F3: another incarnation, and a frozen store.
  if not _odd and _incarnation is not null then
    _odd := not exists (select from "SCHEMA".store s where s.kept_incarnation = _incarnation and s.frozen_until <= _time
      and s.incarnation::text || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) = _incarnation);
  end if;
  if _odd then raise exception 'vsa: left to the general path' using errcode = 'VS003'; end if;

  if _n is not null then
    -- In the order of arrival, from what the pools are after policy, spending and refund.
    select array_agg(b.pool + case when b.kind = 'w' and e.kind = 'w' and e.version > b.version and e.ends = b.ends_at then e.units - b.limit_units else 0 end
        + least(e.refund, b.used + e.spent) order by e.i), array_agg(0::bigint)
      into _pools, _taken
    from unnest(_key, _period, _spent, _refund, _kind, _limit, _version, _ends) with ordinality e(key, period, spent, refund, kind, units, version, ends, i)
      join "SCHEMA".budget b on b.key = e.key and b.period = e.period;
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
    join "SCHEMA".budget b on b.key = e.key and b.period = e.period
    left join "SCHEMA".lease l on l.epoch = _epoch and l.key = e.key and l.period = e.period
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
    update "SCHEMA".budget b set minted = c.minted_after, used = c.used_after, pool = c.pool_after, leased = c.leased - c.held + c.held_after,
      lessees = c.lessees - (c.held > 0)::int + (c.held_after > 0)::int, wanted_until = c.wanted_after, burn_max = c.burn_after,
      limit_units = c.limit_after, version = c.version_after, keep_until = c.keep_after
    from changed c where b.ctid = c.id and c.rest >= 0 and c.minted_after <= 9007199254740991
      and (c.is_record or c.pool_after <> c.pool or c.held_after <> c.held or c.wanted_after <> c.wanted_until))
  select string_agg(concat_ws(',', held_after, pool_after, used_after, burned, minted_after, reserved, limit_after, version_after,
      lessees - (held > 0)::int, leased - held), ',' order by i),
    coalesce(jsonb_object_agg(at, jsonb_build_object('refunded', refunded)) filter (where refunded > 0), '{}'),
    _records + count(*) filter (where is_record),
    coalesce(sum((held_after <> held)::int + (not is_record and (made or pool_after <> pool or wanted_after <> wanted_until))::int), 0),
    coalesce(bool_or(rest < 0 or minted_after > 9007199254740991 or minted <> used + reserved + pool + burned + leased
      or (made and ends <= _time - 60000)), false),
    array_agg(key) filter (where held_after <> held), array_agg(period) filter (where held_after <> held),
    array_agg(held_after) filter (where held_after <> held)
  into _rows, _notes, _records, _moves, _odd, _moved_key, _moved_period, _moved_held from changed;
  -- S6 names the row; S4 was checked at an earlier time.
  if _odd then raise exception 'vsa: left to the general path' using errcode = 'VS003'; end if;
  if _moved_key is not null then
    insert into "SCHEMA".lease as l (epoch, key, period, held)
    select _epoch, e.key, e.period, e.held from unnest(_moved_key, _moved_period, _moved_held) e(key, period, held) where e.held > 0
    on conflict (epoch, key, period) do update set held = excluded.held;
    delete from "SCHEMA".lease l using unnest(_moved_key, _moved_period, _moved_held) e(key, period, held)
    where e.held = 0 and l.epoch = _epoch and l.key = e.key and l.period = e.period;
  end if;
  if _counter is not null then
    select string_agg(coalesce(c.value, 0)::text, ',' order by e.i) into _counters
    from unnest(_counter) with ordinality e(key, i) left join "SCHEMA".counter c on c.key = e.key;
  end if;

  _outcome := format('{"granted":%s,"notes":%s,"written":{"records":%s,"leaseRecords":%s}}', array_to_json(_granted), _notes, _records, _moves);
  update "SCHEMA".owner set seq = _seq, outcome = _outcome, seen_at = _time, expires_at = greatest(expires_at, _time + lease_ttl_ms)
  where epoch = _epoch returning expires_at into _owner.expires_at;
  -- O12. Few rows are wanted.
  if exists (select from "SCHEMA".budget where wanted_until > 0) then
    select json_agg(json_build_array(w.key, w.period))::text into _wanted from (
      select b.key, b.period from "SCHEMA".budget b join "SCHEMA".lease l on l.epoch = _epoch and l.key = b.key and l.period = b.period
      where b.wanted_until > 0 and b.wanted_until > _time limit _wanted_max) w;
  end if;
  _due := _due or exists (select from "SCHEMA".budget where keep_until < _time and lessees = 0 and reserved = 0)
    or exists (select from "SCHEMA".reservation where sweep_at <= _time)
    or exists (select from "SCHEMA".intent i where (i.op = 'settle' or exists (select from "SCHEMA".budget b where b.key = i.key and b.kind <> 's' and b.period <= _time offset 0)));
  return format('{"time":%s,"seen":%s,"expiresAt":%s,"made":%s,"isUpkeepDue":%s,"rows":[%s],"counters":[%s],"wanted":%s,"outcome":%s}',
    _time, _seen, _owner.expires_at, _made, _due::text, _rows, _counters, coalesce(_wanted, '[]'), _outcome);
end $vsa$;

  perform set_config('vsa.done', 'made', true);
end
$schema$;
commit;
