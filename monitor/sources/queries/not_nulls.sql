-- PostgreSQL 18 stores NOT NULL as constraints; their names say nothing (they
-- differ between a created and a restored schema), what matters is told per column.
select 'not_null', 'pg_constraint', k.oid::text, '0', k.conrelid::text, null, null, null,
  json_build_object('column', k.conkey[1], 'valid', k.convalidated, 'no_inherit', k.connoinherit)::text
from pg_constraint k join pg_namespace n on n.oid = k.connamespace
where k.contype = 'n' and k.conrelid <> 0 and (not k.convalidated or k.connoinherit)
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
