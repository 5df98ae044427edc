-- Rewrite rules but for the one that makes a view a view. Where the text will stand,
-- there is the version of the row.
select 'rule', 'pg_rewrite', r.oid::text, '0', r.ev_class::text, n.nspname, c.relname, r.rulename,
  json_strip_nulls(json_build_object(
    'definition', r.xmin::text,
    'enabled', case r.ev_enabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end
  ))::text
from pg_rewrite r
  join pg_class c on c.oid = r.ev_class
  join pg_namespace n on n.oid = c.relnamespace
where r.rulename <> '_RETURN' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
