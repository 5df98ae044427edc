-- Schemas that are not the system's. Who owns "public" is the server's choice (the
-- database's owner since 15, the first superuser before) until somebody else owns it.
select 'schema', 'pg_namespace', n.oid::text, '0', null, null, null, n.nspname,
  json_strip_nulls(json_build_object('owner', case
    when n.nspname = 'public' and (n.nspowner = 10 or o.name = 'pg_database_owner'
      or n.nspowner = (select datdba from pg_database where datname = current_database())) then null
    else o.name end))::text
from pg_namespace n, lateral (select pg_get_userbyid(n.nspowner) as name) o
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
