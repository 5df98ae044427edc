-- Queries of views, and rules after their names. The deparser locks what they read until
-- the transaction ends, so few are read in one.
-- https://www.postgresql.org/docs/current/catalog-pg-rewrite.html
select 'pg_rewrite', json_build_array(json_build_array(r.oid::text, '0', case r.rulename when '_RETURN' then pg_get_viewdef(r.ev_class)
  else substr(d.text, position(quote_ident(r.rulename) in d.text) + length(quote_ident(r.rulename)) + 1) end))::text
from pg_rewrite r, lateral (select case when r.rulename <> '_RETURN' then pg_get_ruledef(r.oid) end as text) d
where r.oid >= 16384 and r.oid = any ('{oids}'::oid[])
