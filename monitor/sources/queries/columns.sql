-- Columns, one row a table and a list for each thing that every column has: a row a
-- column would be most of the answer. Of views and composite types the reader keeps only
-- what was added to a column by hand. What few columns have is in "more", null for the rest.
-- https://www.postgresql.org/docs/current/catalog-pg-attribute.html
-- A Debian build of 15.20 was seen to keep pg_attver, a number of its own, among the options
-- of every column of tables, views and types: it says nothing. A column that has nothing
-- else is found without a query of its own, as there are many.
-- Of the options of foreign data only harmless ones are told with their value: any other
-- may hold a password, and only its name leaves the server.
select 'columns', 'pg_class', c.oid::text, '0', c.oid::text, n.nspname, c.relname, null,
  json_build_object(
    'relkind', c.relkind,
    'is_partition', c.relispartition,
    'numbers', x.numbers,
    'names', x.names,
    'not_null', x.not_null,
    'types', x.types,
    'more', x.more
  )::text
from (
  select a.attrelid,
    array_agg(a.attnum) as numbers,
    array_agg(a.attname) as names,
    array_agg(a.attnotnull) as not_null,
    array_agg(format_type(a.atttypid, a.atttypmod)) as types,
    array_agg(case when a.attidentity <> '' or a.attgenerated <> '' or a.attcollation <> t.typcollation
        or a.attstorage <> t.typstorage or a.attcompression <> '' or a.attstattarget >= 0
        or a.attoptions is not null and (cardinality(a.attoptions) > 1 or split_part(a.attoptions[1], '=', 1) <> 'pg_attver')
        or a.attfdwoptions is not null or not a.attislocal or a.attinhcount > 0
      then json_strip_nulls(json_build_object(
        'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
        'generated', case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end,
        'collation', case when a.attcollation <> t.typcollation then
          (select quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
           from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace where co.oid = a.attcollation) end,
        'storage', case when a.attstorage <> t.typstorage then
          case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end,
        'compression', case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
        'statistics_target', nullif(coalesce(a.attstattarget, -1), -1),
        'options', case when a.attoptions is not null then
          (select json_agg(o.text) from unnest(a.attoptions) o (text) where split_part(o.text, '=', 1) <> 'pg_attver') end,
        'foreign_options', (select json_agg(case when split_part(o.text, '=', 1) in ('schema_name', 'table_name', 'column_name', 'use_remote_estimate', 'fetch_size', 'batch_size', 'updatable', 'truncatable', 'async_capable', 'analyze_sampling', 'format', 'header', 'delimiter', 'null', 'encoding') then o.text else split_part(o.text, '=', 1) end)
          from unnest(a.attfdwoptions) o (text)),
        'inherited', case when a.attinhcount > 0 and not a.attislocal then true end
      )) end) as more
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  where a.attnum > 0 and not a.attisdropped and a.attrelid >= 16384
  group by a.attrelid
) x
  join pg_class c on c.oid = x.attrelid
  join pg_namespace n on n.oid = c.relnamespace
where c.relpersistence <> 't' and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
