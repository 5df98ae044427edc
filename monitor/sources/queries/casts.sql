-- Casts that did not come with the server: https://www.postgresql.org/docs/current/catalog-pg-cast.html
select 'cast', 'pg_cast', c.oid::text, '0', null, null, null,
  format_type(c.castsource, null) || ' AS ' || format_type(c.casttarget, null),
  json_strip_nulls(json_build_object(
    'function', nullif(c.castfunc, 0)::regprocedure::text,
    'method', case c.castmethod when 'i' then 'inout' when 'b' then 'binary' end,
    'context', case c.castcontext when 'a' then 'assignment' when 'i' then 'implicit' end
  ))::text
from pg_cast c
where c.oid >= 16384
