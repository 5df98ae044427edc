-- Comments, told with the object they are on. The one that every database has on its
-- schema "public" and on plpgsql came with the server.
select 'comment', d.classoid::regclass::text, d.objoid::text, d.objsubid::text, null, null, null, null, to_json(d.description)::text
from pg_description d
where (d.objoid >= 16384 or d.classoid = 'pg_namespace'::regclass)
  and not (d.classoid = 'pg_namespace'::regclass and d.description = 'standard public schema')
  and not (d.classoid = 'pg_namespace'::regclass and d.objoid < 16384 and exists (
    select from pg_namespace n where n.oid = d.objoid and (n.nspname ~ '^pg_' or n.nspname = 'information_schema')))
