-- Operators: https://www.postgresql.org/docs/current/catalog-pg-operator.html
-- One that only waits to be defined as somebody's commutator has no function and is left out.
select 'operator', 'pg_operator', o.oid::text, '0', null, n.nspname, null,
  o.oprname || '(' || case when o.oprleft = 0 then 'NONE' else format_type(o.oprleft, null) end || ', ' || format_type(o.oprright, null) || ')',
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(o.oprowner),
    'function', o.oprcode::oid::regprocedure::text,
    'returns', format_type(o.oprresult, null),
    'commutator', nullif(o.oprcom, 0)::regoperator::text,
    'negator', nullif(o.oprnegate, 0)::regoperator::text,
    'restriction', nullif(o.oprrest::oid, 0)::regproc::text,
    'join', nullif(o.oprjoin::oid, 0)::regproc::text,
    'hashes', case when o.oprcanhash then true end,
    'merges', case when o.oprcanmerge then true end
  ))::text
from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
where o.oprcode <> 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
