-- Rewrite rules but for the one that makes a view a view; the text after the name.
select 'rule', 'pg_rewrite', r.oid::text, '0', r.ev_class::text, n.nspname, c.relname, r.rulename,
  json_strip_nulls(json_build_object(
    'definition', substr(d.text, position(quote_ident(r.rulename) in d.text) + length(quote_ident(r.rulename)) + 1),
    'enabled', case r.ev_enabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' end
  ))::text
from pg_rewrite r
  join pg_class c on c.oid = r.ev_class
  join pg_namespace n on n.oid = c.relnamespace,
  lateral (select pg_get_ruledef(r.oid) as text) d
where r.rulename <> '_RETURN' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
