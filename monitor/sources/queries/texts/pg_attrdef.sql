-- Expressions of defaults and generated columns, one row a table.
-- https://www.postgresql.org/docs/current/catalog-pg-attrdef.html
select 'pg_attrdef', json_agg(json_build_array(d.oid::text, '0', pg_get_expr(d.adbin, d.adrelid)))::text
from pg_attrdef d
where d.oid >= 16384 and d.oid = any ('{oids}'::oid[])
group by d.adrelid
