-- Extensions; what belongs to one is its own business and is left out everywhere.
select 'extension', 'pg_extension', e.oid::text, '0', null, null, null, e.extname,
  json_build_object('version', e.extversion, 'schema', n.nspname)::text
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
