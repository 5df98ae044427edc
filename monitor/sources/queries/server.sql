-- The server and database that answer, and the first branch of the catalog
-- statement: its explicit casts give the whole union its column types, so that
-- no later branch cuts a text at the 63 bytes of type "name".
select 'server'::text as record, null::text as class, null::text as oid, null::text as sub,
  null::text as relation, null::text as schema, null::text as parent, null::text as name,
  json_build_object(
    'version_num', current_setting('server_version_num')::int,
    'database', current_database()::text,
    'owner', pg_get_userbyid((select datdba from pg_database where datname = current_database()))::text,
    'in_recovery', pg_is_in_recovery()
  )::text as body
