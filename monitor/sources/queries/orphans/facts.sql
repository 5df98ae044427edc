/* anchorwatch orphans: facts */
-- What there is of a relation: its tables, the operator that each pair of columns is compared
-- with, the collation where they differ, and the child's key. The operator is that of the
-- default B-tree class of the referenced type, as in the parent's unique index, so that no
-- operator of somebody's making is chosen by a search path; texts are cast to what it takes, as
-- the server does, for a char(n) is equal with fewer blanks. A table that nobody has analysed
-- has a row for each 64 bytes at most.
-- https://www.postgresql.org/docs/current/catalog-pg-opclass.html
with recursive heirs as (
  select c.oid, c.oid as top, false as is_heir from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where (n.nspname, c.relname) in (({child_schema}::text, {child_table}::text), ({parent_schema}::text, {parent_table}::text))
  union all
  select i.inhrelid, h.top, true from heirs h join pg_inherits i on i.inhparent = h.oid
),
sides as (
  select s.side, c.oid, c.relkind::text as kind,
    (select sum(case when t.reltuples < 0 then pg_relation_size(t.oid) / 64.0 else t.reltuples end)
      from heirs h join pg_class t on t.oid = h.oid where h.top = c.oid and t.relkind <> 'p') as rows,
    c.relkind <> 'p' and exists (select from heirs h where h.top = c.oid and h.is_heir) as has_heirs,
    has_schema_privilege(c.relnamespace, 'usage') and (has_table_privilege(c.oid, 'select')
      or coalesce((select bool_and(has_column_privilege(c.oid, a.attnum, 'select')) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and a.attname = any (case s.side when 'child' then {columns} else {referenced} end)), false)) as readable
  from (values ('child', {child_schema}::text, {child_table}::text), ('parent', {parent_schema}::text, {parent_table}::text)) s (side, schema, name)
    join pg_namespace n on n.nspname = s.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = s.name and c.relkind in ('r', 'p', 'f', 'v', 'm')
),
pairs as (
  select u.place, ca.attname as child, pa.attname as parent,
    ca.atttypid as child_type, pa.atttypid as parent_type,
    ca.attcollation as child_collation, pa.attcollation as parent_collation
  from unnest({columns}, {referenced}) with ordinality as u (child, parent, place)
    left join pg_attribute ca on ca.attrelid = (select oid from sides where side = 'child')
      and ca.attname = u.child and ca.attnum > 0 and not ca.attisdropped
    left join pg_attribute pa on pa.attrelid = (select oid from sides where side = 'parent')
      and pa.attname = u.parent and pa.attnum > 0 and not pa.attisdropped
),
bases as (
  select p.place, t.oid, t.typbasetype, t.typtype, t.typcategory
  from pairs p join pg_type t on t.oid = p.parent_type
  union all
  select b.place, t.oid, t.typbasetype, t.typtype, t.typcategory
  from bases b join pg_type t on t.oid = b.typbasetype
),
operators as (
  select distinct on (b.place) b.place, n.nspname as schema, o.oprname as name,
    case when b.typcategory = 'S' and kt.typcategory = 'S' then format_type(k.opcintype, -1) end as text_type
  from bases b
    join pg_opclass k on k.opcdefault and k.opcmethod = (select oid from pg_am where amname = 'btree')
      and (k.opcintype = b.oid
        or k.opcintype = any (array[
          case when b.typtype = 'e' then 'anyenum'::regtype end,
          case when b.typcategory = 'A' then 'anyarray'::regtype end,
          case when b.typtype = 'r' then 'anyrange'::regtype end,
          case when b.typtype = 'm' then 'anymultirange'::regtype end,
          case when b.typtype = 'c' then 'record'::regtype end]::oid[])
        or exists (select from pg_cast x where x.castsource = b.oid and x.casttarget = k.opcintype
          and x.castmethod = 'b' and x.castcontext = 'i'))
    join pg_amop a on a.amopfamily = k.opcfamily and a.amopstrategy = 3
      and a.amoplefttype = k.opcintype and a.amoprighttype = k.opcintype
    join pg_operator o on o.oid = a.amopopr
    join pg_namespace n on n.oid = o.oprnamespace
    join pg_type kt on kt.oid = k.opcintype
  where b.typbasetype = 0
  order by b.place, k.opcintype = b.oid desc, kt.typispreferred desc, k.opcintype
),
keys as (
  select i.indexrelid, i.indkey::int2[] as numbers, i.indnkeyatts
  from pg_index i
  where i.indrelid = (select oid from sides where side = 'child')
    and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
    and not exists (select from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) as k (number)
      left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and a.attnotnull
      where a.attnum is null)
    and (select amname from pg_class c join pg_am m on m.oid = c.relam where c.oid = i.indexrelid) = 'btree'
  order by i.indisprimary desc, i.indnkeyatts, i.indexrelid
  limit 1
)
select
  (select json_object_agg(side, json_build_object(
      'kind', kind, 'readable', readable, 'heirs', has_heirs, 'rows', coalesce(rows, 0)))::text from sides),
  (select json_agg(json_build_object(
      'child', p.child is not null, 'parent', p.parent is not null,
      'schema', o.schema, 'operator', o.name,
      'cast', case when (select t.typcategory from pg_type t where t.oid = p.child_type) = 'S' then o.text_type end,
      'collation', case when p.child_collation <> p.parent_collation and 0 not in (p.child_collation, p.parent_collation) then
        (select json_build_array(cn.nspname, co.collname) from pg_collation co
          join pg_namespace cn on cn.oid = co.collnamespace where co.oid = p.parent_collation) end)
      order by p.place)::text
    from pairs p left join operators o on o.place = p.place),
  (select json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), b.nspname) order by n.place)::text
    from keys k cross join lateral unnest(k.numbers[0:k.indnkeyatts - 1]) with ordinality as n (number, place)
      join pg_attribute a on a.attrelid = (select oid from sides where side = 'child') and a.attnum = n.number
      join pg_type t on t.oid = a.atttypid join pg_namespace b on b.oid = t.typnamespace),
  (select (exists (select from pg_index i where i.indrelid = (select oid from sides where side = 'parent')
      and i.indisvalid and i.indpred is null
      and (select array_agg(a.attname::text) from unnest((i.indkey::int2[])[0:cardinality({referenced}) - 1]) as k (number)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number) @> {referenced}))::text)
