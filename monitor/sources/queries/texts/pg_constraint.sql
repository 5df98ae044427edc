-- Conditions of checks, and exclusion constraints without their names, one row a table.
-- https://www.postgresql.org/docs/current/catalog-pg-constraint.html
select 'pg_constraint', json_agg(json_build_array(k.oid::text, '0',
  case k.contype when 'c' then pg_get_expr(k.conbin, k.conrelid) else pg_get_constraintdef(k.oid) end))::text
from pg_constraint k
where k.contype in ('c', 'x') and k.conrelid >= 16384 and k.oid = any ('{oids}'::oid[])
group by k.conrelid
