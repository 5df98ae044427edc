-- Enumerations, domains, composite types and ranges: https://www.postgresql.org/docs/current/catalog-pg-type.html
select case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite' else 'range' end,
  'pg_type', t.oid::text, '0', nullif(t.typrelid, 0)::text, n.nspname, null, t.typname,
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(t.typowner),
    'labels', case when t.typtype = 'e' then
      (select coalesce(json_agg(e.enumlabel order by e.enumsortorder), '[]'::json) from pg_enum e where e.enumtypid = t.oid) end,
    'type', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end,
    'not_null', case when t.typtype = 'd' and t.typnotnull then true end,
    'default', case when t.typtype = 'd' then coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) end,
    'collation', case when t.typtype = 'd' and t.typcollation <> b.typcollation then
      (select quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
       from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace where co.oid = t.typcollation) end,
    'fields', case when t.typtype = 'c' then
      (select coalesce(json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod),
          case when a.attcollation <> ft.typcollation then
            (select quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
             from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace where co.oid = a.attcollation) end) order by a.attnum), '[]'::json)
       from pg_attribute a join pg_type ft on ft.oid = a.atttypid
       where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) end,
    'subtype', case when t.typtype = 'r' then (select format_type(r.rngsubtype, null) from pg_range r where r.rngtypid = t.oid) end,
    'multirange', case when t.typtype = 'r' then (select format_type(r.rngmultitypid, null) from pg_range r where r.rngtypid = t.oid) end,
    'opclass', case when t.typtype = 'r' then (select quote_ident(o.opcname) from pg_range r join pg_opclass o on o.oid = r.rngsubopc where r.rngtypid = t.oid and not o.opcdefault) end,
    'range_collation', case when t.typtype = 'r' then (select co.oid::regcollation::text from pg_range r join pg_collation co on co.oid = r.rngcollation where r.rngtypid = t.oid and co.collname <> 'default') end,
    'canonical', case when t.typtype = 'r' then (select nullif(r.rngcanonical, 0)::regproc::text from pg_range r where r.rngtypid = t.oid) end,
    'subtype_diff', case when t.typtype = 'r' then (select nullif(r.rngsubdiff, 0)::regproc::text from pg_range r where r.rngtypid = t.oid) end
  ))::text
from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  left join pg_type b on b.oid = t.typbasetype
where t.typtype in ('e', 'd', 'c', 'r') and (t.typtype <> 'c' or c.relkind = 'c')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
