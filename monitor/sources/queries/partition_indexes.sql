-- What indexes of partitions have of their own, by the index of the topmost table that they
-- come from: an index of a partition is no object, and its name is made up by the server.
-- That there is one at all says something only while some partitions still lack theirs.
-- Constraints are found by their table, for which there is an index, and not by theirs.
-- https://www.postgresql.org/docs/current/catalog-pg-inherits.html
select 'partition_index', 'pg_class', i.indrelid::text, '0', i.indrelid::text, rn.nspname, null, r.relname,
  json_strip_nulls(json_build_object(
    'clustered', case when i.indisclustered then true end,
    'replica_identity', case when i.indisreplident then true end,
    'options', case when c.reloptions is distinct from p.reloptions then coalesce(c.reloptions, '{}') end,
    'tablespace', case when c.reltablespace <> p.reltablespace then
      coalesce((select s.spcname from pg_tablespace s where s.oid = c.reltablespace), 'pg_default') end,
    'order', case when i.indoption::text <> pi.indoption::text then i.indoption::text end,
    'operator_classes', case when i.indclass::text <> pi.indclass::text then
      (select json_agg(json_build_array(n.nspname, k.opcname) order by u.place)
        from unnest(i.indclass::oid[]) with ordinality u (class, place)
        join pg_opclass k on k.oid = u.class join pg_namespace n on n.oid = k.opcnamespace) end,
    'operator_options', case when a.own is distinct from a.parents then coalesce(a.own, '') end,
    'deferrable', case when k.own is distinct from k.parents then coalesce(k.own, 'no') end,
    'valid', case when pi.indisvalid and not i.indisvalid then false end,
    'attached', case when not pi.indisvalid then true end
  ))::text
from pg_class c
  join pg_index i on i.indexrelid = c.oid
  join pg_inherits h on h.inhrelid = c.oid
  join pg_class p on p.oid = h.inhparent
  join pg_index pi on pi.indexrelid = p.oid
  join pg_class r on r.oid = pg_partition_root(c.oid)
  join pg_namespace rn on rn.oid = r.relnamespace
  cross join lateral (select
      string_agg(o.attnum || ' ' || o.attoptions::text, ', ' order by o.attnum) filter (where o.attrelid = c.oid) as own,
      string_agg(o.attnum || ' ' || o.attoptions::text, ', ' order by o.attnum) filter (where o.attrelid = p.oid) as parents
    from pg_attribute o where o.attrelid in (c.oid, p.oid) and o.attoptions is not null) a
  cross join lateral (select
      max(case when q.condeferred then 'initially deferred' else 'yes' end) filter (where q.conindid = c.oid) as own,
      max(case when q.condeferred then 'initially deferred' else 'yes' end) filter (where q.conindid = p.oid) as parents
    from pg_constraint q where q.conrelid in (i.indrelid, pi.indrelid)
      and q.conindid in (c.oid, p.oid) and q.contype in ('p', 'u', 'x') and q.condeferrable) k
where c.relispartition and c.relkind in ('i', 'I') and c.relpersistence <> 't'
  and (i.indisclustered or i.indisreplident or c.reloptions is distinct from p.reloptions
    or i.indoption::text <> pi.indoption::text or i.indclass::text <> pi.indclass::text
    or a.own is distinct from a.parents or k.own is distinct from k.parents
    or c.reltablespace <> p.reltablespace or pi.indisvalid and not i.indisvalid or not pi.indisvalid)
