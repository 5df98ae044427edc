/* anchorwatch repair: ground */
-- The tables that a repair concerns, and the foreign keys that lead from one to the other.
-- Cascades are followed as far as they go, whether there are rows or not: rows may come while
-- nobody holds a lock. A key of a partitioned table counts once, as it was declared, and what is
-- NOT ENFORCED does nothing.
-- https://www.postgresql.org/docs/current/catalog-pg-constraint.html
with recursive keys as materialized (
  select k.oid, k.conname, k.conrelid, k.confrelid, k.confdeltype::text as action,
    k.conkey, k.confkey, k.conpfeqop
  from pg_constraint k
  where k.contype = 'f' and k.conparentid = 0
    and coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
),
child as (
  select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where (n.nspname, c.relname) in ({children})
),
parent as (
  select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where (n.nspname, c.relname) in ({parents})
),
start (oid) as (
  select oid from child
  union
  select i.inhrelid from start s join pg_inherits i on i.inhparent = s.oid
    join pg_class c on c.oid = i.inhrelid
  where {with_heirs} or c.relispartition
),
parents (oid) as (
  select oid from parent
  union
  select i.inhrelid from parents s join pg_inherits i on i.inhparent = s.oid
    join pg_class c on c.oid = i.inhrelid
  where {with_heirs} or c.relispartition
),
reach (oid) as (
  select oid from start
  union
  select d.oid from reach r
    join keys k on k.action = 'c' and (k.confrelid = r.oid
      or k.confrelid in (select a.relid from pg_partition_ancestors(r.oid) a))
    cross join lateral (select k.conrelid as oid union select t.relid from pg_partition_tree(k.conrelid) t) d
),
links as (
  select k.* from keys k
  where exists (select from reach r where k.confrelid = r.oid
    or k.confrelid in (select a.relid from pg_partition_ancestors(r.oid) a))
),
concerned as (
  select oid from reach
  union
  select d.oid from links k
    cross join lateral (select k.conrelid as oid union select t.relid from pg_partition_tree(k.conrelid) t) d
  union
  select oid from parents
),
-- Stored columns that are computed from others: of these below 15 the column itself depends, and
-- from then on its expression.
-- https://www.postgresql.org/docs/current/catalog-pg-depend.html
computed as (
  select a.attrelid, a.attnum, d.refobjsubid as base
  from pg_attribute a left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid <> a.attnum
      and ((d.classid = 'pg_class'::regclass and d.objid = a.attrelid and d.objsubid = a.attnum)
        or (d.classid = 'pg_attrdef'::regclass and d.objid = e.oid))
  where a.attgenerated <> '' and a.attnum > 0 and not a.attisdropped and d.refobjsubid > 0
    and a.attrelid in (select oid from concerned)
),
tables as (
  select oid from concerned
  union
  select pg_partition_root(oid) from concerned where pg_partition_root(oid) is not null
)
select
  (select json_agg(json_build_object(
      'oid', t.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind::text,
      'top', coalesce(pg_partition_root(t.oid), t.oid)::bigint,
      'ancestors', (select coalesce(json_agg(a.relid::oid::bigint), '[]') from pg_partition_ancestors(t.oid) a),
      'is_child', exists (select from start s where s.oid = t.oid),
      'is_parent', exists (select from parents s where s.oid = t.oid),
      'is_reached', exists (select from reach r where r.oid = t.oid),
      'columns', (select coalesce(json_agg(json_build_object(
          'name', a.attname, 'type', (select format('%I.%I', tn.nspname, ty.typname) from pg_type ty join pg_namespace tn on tn.oid = ty.typnamespace where ty.oid = a.atttypid), 'is_required', a.attnotnull,
          'has_value', a.atthasdef or a.attidentity <> '', 'is_generated', a.attgenerated <> '',
          'bases', (select coalesce(json_agg(distinct b.attname), '[]') from computed g
            join pg_attribute b on b.attrelid = g.attrelid and b.attnum = g.base
            where g.attrelid = a.attrelid and g.attnum = a.attnum),
          'is_key', coalesce((select a.attnum = any (i.indkey::int2[]) from pg_index i
            where i.indrelid = t.oid and i.indisprimary), false),
          'is_bound', coalesce((select a.attnum = any (p.partattrs::int2[]) from pg_partitioned_table p
            where p.partrelid = t.oid), false)) order by a.attnum), '[]')
        from pg_attribute a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped),
      'triggers', (select coalesce(json_agg(json_build_object('name', g.tgname, 'type', g.tgtype::int) order by g.tgname), '[]')
        from pg_trigger g join pg_proc f on f.oid = g.tgfoid
        where g.tgrelid = t.oid and g.tgenabled in ('O', 'A')
          and not (f.pronamespace = 'pg_catalog'::regnamespace and (f.proname ~ '^RI_FKey_' or f.proname = 'unique_key_recheck'))),
      'rules', (select coalesce(json_agg(w.rulename order by w.rulename), '[]') from pg_rewrite w
        where w.ev_class = t.oid and w.ev_type <> '1'),
      'rights', (select json_agg(r) from unnest(array['select', 'insert', 'update', 'delete', 'truncate']) r
        where has_schema_privilege(c.relnamespace, 'usage') and has_table_privilege(t.oid, r))
    ) order by n.nspname, c.relname)::text
    from tables t join pg_class c on c.oid = t.oid join pg_namespace n on n.oid = c.relnamespace),
  (select json_agg(json_build_object(
      'name', k.conname, 'child', k.conrelid::bigint, 'parent', k.confrelid::bigint,
      'action', k.action,
      'onward', (select coalesce(json_agg(o.conname order by o.conname), '[]') from keys o
        where o.confrelid = k.conrelid and o.confkey && (k.conkey || array(
          select g.attnum from computed g where g.attrelid = k.conrelid and g.base = any (k.conkey)))),
      'columns', (select json_agg(a.attname order by u.place) from unnest(k.conkey) with ordinality u (number, place)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number),
      'referenced', (select json_agg(a.attname order by u.place) from unnest(k.confkey) with ordinality u (number, place)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number),
      'operators', (select json_agg(json_build_object('schema', m.nspname, 'name', o.oprname,
            'left', case when l.typtype <> 'p' then json_build_array(ln.nspname, l.typname) end,
            'right', case when r.typtype <> 'p' then json_build_array(rn.nspname, r.typname) end) order by u.place)
        from unnest(k.conpfeqop) with ordinality u (operator, place)
        join pg_operator o on o.oid = u.operator join pg_namespace m on m.oid = o.oprnamespace
        join pg_type l on l.oid = o.oprleft join pg_namespace ln on ln.oid = l.typnamespace
        join pg_type r on r.oid = o.oprright join pg_namespace rn on rn.oid = r.typnamespace),
      'collations', (select json_agg(case when ca.attcollation <> pa.attcollation and 0 not in (ca.attcollation, pa.attcollation)
            then json_build_array(cn.nspname, co.collname) end order by u.place)
        from unnest(k.conkey, k.confkey) with ordinality u (own, other, place)
        join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = u.own
        join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = u.other
        left join pg_collation co on co.oid = pa.attcollation left join pg_namespace cn on cn.oid = co.collnamespace)
    ) order by k.conname, k.oid)::text from links k),
  current_setting('session_replication_role'),
  current_setting('track_counts')
