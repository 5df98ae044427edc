-- Versions of the objects of kinds that are not modelled, and that texts may name: when one
-- changes, no text that was read before is trusted.
select 'unmodelled', null, null, null, null, null, null, null, json_agg(json_build_array(o.oid::text, o.version))::text
from (
  select oid, xmin::text as version from pg_collation where oid >= 16384
  union all select oid, xmin::text from pg_ts_config where oid >= 16384
  union all select oid, xmin::text from pg_ts_dict where oid >= 16384
  union all select oid, xmin::text from pg_opclass where oid >= 16384
  union all select oid, xmin::text from pg_language where oid >= 16384
  union all select oid, xmin::text from pg_am where oid >= 16384
) o
having count(*) > 0
