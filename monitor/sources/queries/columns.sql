-- Columns of tables; of views and composite types only what was added to a
-- column by hand (default, options). Most columns have a type, a nullability
-- and nothing else: "more" is null for them, which keeps the answer small.
-- https://www.postgresql.org/docs/current/catalog-pg-attribute.html
select 'column', 'pg_class', a.attrelid::text, a.attnum::text, a.attrelid::text, n.nspname, c.relname, a.attname,
  json_build_object(
    'relkind', c.relkind,
    'type', format_type(a.atttypid, a.atttypmod),
    'not_null', a.attnotnull,
    'default', case when a.atthasdef then (
      select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum) end,
    'more', case when a.attidentity <> '' or a.attgenerated <> '' or a.attcollation <> t.typcollation
        or a.attstorage <> t.typstorage or a.attcompression <> '' or coalesce(a.attstattarget, -1) <> -1
        or a.attoptions is not null or a.attfdwoptions is not null or not a.attislocal or a.attinhcount > 0
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
        'options', a.attoptions,
        'foreign_options', (select json_agg(case when o.text ~* '^[^=]*(pass|pwd|secret|token|key|cred|auth|program)' then split_part(o.text, '=', 1) else o.text end)
          from unnest(a.attfdwoptions) o (text)),
        'inherited', case when a.attinhcount > 0 and not a.attislocal and not c.relispartition then true end
      )) end
  )::text
from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_type t on t.oid = a.atttypid
where a.attnum > 0 and not a.attisdropped and c.relpersistence <> 't'
  and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
