-- Sequences, never their positions. One that belongs to an identity column (dependency
-- "i") is told with the column.
select 'sequence', 'pg_class', c.oid::text, '0', null, n.nspname, null, c.relname,
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(c.relowner),
    'persistence', nullif(c.relpersistence, 'p'),
    'type', format_type(s.seqtypid, null),
    'start', s.seqstart,
    'increment', s.seqincrement,
    'minimum', s.seqmin,
    'maximum', s.seqmax,
    'cache', s.seqcache,
    'cycle', case when s.seqcycle then true end,
    'bond', d.deptype,
    'table', d.refobjid::text,
    'column', d.refobjsubid
  ))::text
from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.seqrelid and d.objsubid = 0
    and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
where c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
