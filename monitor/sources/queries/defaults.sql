-- Which columns have a default or a generation expression, one row a table: column
-- number, the default's own object number (dependencies name it), and its version.
-- https://www.postgresql.org/docs/current/catalog-pg-attrdef.html
select 'defaults', 'pg_class', d.adrelid::text, '0', d.adrelid::text, null, null, null,
  json_agg(json_build_array(d.adnum, d.oid::text, d.xmin::text))::text
from pg_attrdef d
  join pg_class c on c.oid = d.adrelid
  join pg_namespace n on n.oid = c.relnamespace
where c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
group by d.adrelid
