/* anchorwatch repair: layout */
-- What TRUNCATE and DDL change, and no counter of rows tells: where rows are stored, the columns,
-- and which large objects there are. Tables of a session are nobody's.
select
  (select count(*)::text || ' ' || coalesce(sum(hashtextextended(format('%s %s', c.oid, c.relfilenode), 0)), 0)::text
    from pg_class c where c.relkind in ('r', 'p') and c.relpersistence <> 't'
      and c.relnamespace not in (select n.oid from pg_namespace n where n.nspname in ('pg_catalog', {apart}))),
  (select count(*)::text || ' ' || coalesce(sum(hashtextextended(
      format('%s %s %s %s', a.attrelid, a.attnum, a.atttypid, a.attisdropped), 0)), 0)::text
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relkind in ('r', 'p') and c.relpersistence <> 't' and a.attnum > 0
      and c.relnamespace not in (select n.oid from pg_namespace n where n.nspname in ('pg_catalog', {apart}))),
  (select count(*)::text || ' ' || coalesce(sum(m.oid::bigint), 0)::text from pg_largeobject_metadata m),
  (select coalesce(sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::text
    from pg_stat_xact_all_tables s where s.relid = 'pg_largeobject'::regclass)
