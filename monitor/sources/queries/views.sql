-- Views and materialised views. Where the query will stand, there is the version of the
-- rewrite rule that holds it.
select case c.relkind when 'v' then 'view' else 'materialized_view' end, 'pg_class', c.oid::text, '0', c.oid::text, n.nspname, null, c.relname,
  json_strip_nulls(json_build_object(
    'row_type', c.reltype::text,
    'rule', (select json_build_array(r.oid::text, r.xmin::text) from pg_rewrite r where r.ev_class = c.oid and r.rulename = '_RETURN'),
    'owner', pg_get_userbyid(c.relowner),
    'options', c.reloptions,
    'toast_options', (select t.reloptions from pg_class t where t.oid = c.reltoastrelid),
    'replica_identity', case when c.relkind = 'm' then case c.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then 'index' end end,
    'tablespace', (select s.spcname from pg_tablespace s where s.oid = c.reltablespace),
    'access_method', (select m.amname from pg_am m where m.oid = c.relam and m.amname <> 'heap')
  ))::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
