-- Operator classes that are used by an index and are not the default of their type:
-- a class that is absent here is the default and is not worth a word. The classes of
-- character and oid are defaults too, but serve columns of other types when asked to.
select 'opclass', 'pg_opclass', o.oid::text, '0', null, null, null, null,
  to_json(case when n.nspname = 'pg_catalog' then quote_ident(o.opcname)
    else quote_ident(n.nspname) || '.' || quote_ident(o.opcname) end)::text
from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace
where not o.opcdefault or o.opcintype in ('bpchar'::regtype, 'oid'::regtype)
