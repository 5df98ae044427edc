-- Functions and procedures by their parts, never by pg_get_functiondef: its dollar
-- quotes and line breaks are a choice of the server, not of the author.
-- https://www.postgresql.org/docs/current/catalog-pg-proc.html
select case p.prokind when 'p' then 'procedure' else 'function' end, 'pg_proc', p.oid::text, '0', null, n.nspname, null,
  p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
  json_strip_nulls(json_build_object(
    'owner', pg_get_userbyid(p.proowner),
    'language', l.lanname,
    'arguments', pg_get_function_arguments(p.oid),
    'returns', pg_get_function_result(p.oid),
    'body', case when p.prosqlbody is null then p.prosrc end,
    'sql_body', case when p.prosqlbody is not null then p.xmin::text end,
    'library', p.probin,
    'window', case when p.prokind = 'w' then true end,
    'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' end,
    'strict', case when p.proisstrict then true end,
    'security_definer', case when p.prosecdef then true end,
    'leakproof', case when p.proleakproof then true end,
    'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' end,
    'cost', case when p.prokind <> 'p' then nullif(p.procost, case when l.lanname in ('c', 'internal') then 1 else 100 end) end,
    'rows', nullif(p.prorows, 0),
    'support', case when p.prosupport <> 0 then p.prosupport::text end,
    'settings', p.proconfig,
    'transforms', (select json_agg(format_type(x.id, null)) from unnest(p.protrftypes) x (id))
  ))::text
from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang
where p.prokind in ('f', 'p', 'w') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
