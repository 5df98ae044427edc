-- Tables, partitioned tables and foreign tables with all that belongs to the
-- relation itself; what few of them have is in "more". Where the key or the bound of a
-- partition will stand, there is the version of the row.
-- Letters: https://www.postgresql.org/docs/current/catalog-pg-class.html
-- Of the options of foreign data only harmless ones are told with their value: any other
-- may hold a password, and only its name leaves the server.
select 'relation', 'pg_class', c.oid::text, '0', c.oid::text, n.nspname, null, c.relname,
  json_build_object(
    'relkind', c.relkind,
    'row_type', c.reltype::text,
    'owner', pg_get_userbyid(c.relowner),
    'more', case when c.relkind <> 'r' or c.relpersistence <> 'p' or c.reloptions is not null or t.reloptions is not null
        or c.reltablespace <> 0 or c.relam <> h.oid or c.relrowsecurity or c.relforcerowsecurity
        or c.relreplident <> 'd' or c.reloftype <> 0 or i.parents is not null
      then json_strip_nulls(json_build_object(
        'persistence', nullif(c.relpersistence, 'p'),
        'options', c.reloptions,
        'toast_options', t.reloptions,
        'tablespace', (select s.spcname from pg_tablespace s where s.oid = c.reltablespace),
        'access_method', (select m.amname from pg_am m where m.oid = c.relam and m.amname <> 'heap'),
        'row_security', case when c.relrowsecurity then true end,
        'force_row_security', case when c.relforcerowsecurity then true end,
        'replica_identity', case when c.relkind <> 'f' then
          case c.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then 'index' end end,
        'of_type', case when c.reloftype <> 0 then format_type(c.reloftype, null) end,
        'partition_by', case when c.relkind = 'p' then c.xmin::text end,
        'partition_bound', case when c.relispartition then c.xmin::text end,
        'parents', i.parents,
        'detach_pending', case when i.is_detaching then true end,
        'server', (select s.srvname from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = c.oid),
        'foreign_options', (select json_agg(case when split_part(o.text, '=', 1) in ('schema_name', 'table_name', 'column_name', 'use_remote_estimate', 'fetch_size', 'batch_size', 'updatable', 'truncatable', 'async_capable', 'analyze_sampling', 'format', 'header', 'delimiter', 'null', 'encoding') then o.text else split_part(o.text, '=', 1) end)
          from pg_foreign_table f, unnest(f.ftoptions) o (text) where f.ftrelid = c.oid)
      )) end
  )::text
from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_class t on t.oid = c.reltoastrelid
  left join (
    select x.inhrelid, bool_or(x.inhdetachpending) as is_detaching,
      json_agg(json_build_array(pn.nspname, p.relname) order by x.inhseqno) as parents
    from pg_inherits x join pg_class p on p.oid = x.inhparent join pg_namespace pn on pn.oid = p.relnamespace
    group by x.inhrelid
  ) i on i.inhrelid = c.oid
  left join pg_am h on h.amname = 'heap'
where c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
