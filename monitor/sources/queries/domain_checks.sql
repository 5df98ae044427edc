-- Checks of domains. https://www.postgresql.org/docs/current/catalog-pg-constraint.html
select 'domain_check', 'pg_constraint', k.oid::text, '0', null, n.nspname, t.typname, k.conname,
  json_build_object(
    'domain', k.contypid::text,
    'expression', pg_get_expr(k.conbin, 0),
    'valid', k.convalidated
  )::text
from pg_constraint k
  join pg_type t on t.oid = k.contypid
  join pg_namespace n on n.oid = t.typnamespace
where k.contype = 'c' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
