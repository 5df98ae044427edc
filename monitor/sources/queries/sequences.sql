-- Sequences, never their positions; the reader knows the fields by their place. One that
-- belongs to an identity column (dependency "i") is told with the column.
-- https://www.postgresql.org/docs/current/catalog-pg-sequence.html
select 'sequence', 'pg_class', c.oid::text, '0', null, n.nspname, null, c.relname,
  json_build_array(
    pg_get_userbyid(c.relowner),
    c.relpersistence,
    format_type(s.seqtypid, null),
    s.seqstart,
    s.seqincrement,
    s.seqmin,
    s.seqmax,
    s.seqcache,
    s.seqcycle,
    d.deptype,
    d.refobjid::text,
    d.refobjsubid::text
  )::text
from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.seqrelid and d.objsubid = 0
    and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
where c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
