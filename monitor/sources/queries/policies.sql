-- Row security policies. Roles are told by name, 0 is PUBLIC. Where an expression will
-- stand, there is the version of the row.
select 'policy', 'pg_policy', p.oid::text, '0', p.polrelid::text, n.nspname, c.relname, p.polname,
  json_strip_nulls(json_build_object(
    'command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' end,
    'permissive', case when not p.polpermissive then false end,
    'roles', (select json_agg(case r.id when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(r.id)) end) from unnest(p.polroles) r (id)),
    'using', case when p.polqual is not null then p.xmin::text end,
    'check', case when p.polwithcheck is not null then p.xmin::text end
  ))::text
from pg_policy p
  join pg_class c on c.oid = p.polrelid
  join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
