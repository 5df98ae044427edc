-- Tables, partitioned tables and foreign tables with all that belongs to the
-- relation itself; letters: https://www.postgresql.org/docs/current/catalog-pg-class.html
select 'relation', 'pg_class', c.oid::text, '0', c.oid::text, n.nspname, null, c.relname,
  json_strip_nulls(json_build_object(
    'relkind', c.relkind,
    'row_type', c.reltype::text,
    'owner', pg_get_userbyid(c.relowner),
    'persistence', nullif(c.relpersistence, 'p'),
    'options', c.reloptions,
    'toast_options', (select t.reloptions from pg_class t where t.oid = c.reltoastrelid),
    'tablespace', (select s.spcname from pg_tablespace s where s.oid = c.reltablespace),
    'access_method', (select m.amname from pg_am m where m.oid = c.relam and m.amname <> 'heap'),
    'row_security', case when c.relrowsecurity then true end,
    'force_row_security', case when c.relforcerowsecurity then true end,
    'replica_identity', case when c.relkind = 'f' then null else case c.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then 'index' end end,
    'of_type', case when c.reloftype <> 0 then format_type(c.reloftype, null) end,
    'partition_by', case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end,
    'partition_bound', case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end,
    'parents', case when c.relhassubclass or c.relispartition or exists (select from pg_inherits i where i.inhrelid = c.oid) then
      (select json_agg(json_build_array(pn.nspname, p.relname) order by i.inhseqno)
       from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
       where i.inhrelid = c.oid) end,
    'detach_pending', case when c.relispartition then
      (select true from pg_inherits i where i.inhrelid = c.oid and i.inhdetachpending) end,
    'server', (select s.srvname from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = c.oid),
    'foreign_options', (select json_agg(case when o.text ~* '^[^=]*(pass|pwd|secret|token|key|cred|auth|program)' then split_part(o.text, '=', 1) else o.text end)
      from pg_foreign_table f, unnest(f.ftoptions) o (text) where f.ftrelid = c.oid)
  ))::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
