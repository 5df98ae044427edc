/* anchorwatch repair: shelf */
-- The tables of the quarantine, whose they are, and whether anything acts when they are written:
-- in a schema of somebody else's, a trigger of theirs would run with the rights of this role. So do
-- event triggers, where the tables have to be made.
select
  (n.oid is not null)::text,
  coalesce(pg_get_userbyid(n.nspowner) = current_user
    or (select r.rolsuper from pg_roles r where r.oid = n.nspowner), true)::text,
  (select count(*) from pg_class c where c.relnamespace = n.oid and c.relkind = 'r'
    and (c.relname, (select string_agg(a.attname, ' ' order by a.attname) from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) in (
        ('batches', 'at id kept reason relation undone_at undone_by version who'),
        ('rows', 'batch number schema table values')))::text,
  (select count(*) from pg_class c where c.relnamespace = n.oid and c.relname in ('batches', 'rows')
    and (c.relkind <> 'r' or c.relrowsecurity or c.relowner <> n.nspowner
      or exists (select from pg_trigger g join pg_proc f on f.oid = g.tgfoid where g.tgrelid = c.oid
        and not (f.pronamespace = 'pg_catalog'::regnamespace and f.proname ~ '^RI_FKey_'))
      or exists (select from pg_rewrite w where w.ev_class = c.oid)))::text,
  has_database_privilege(current_database(), 'create')::text,
  (select coalesce(json_agg(e.evtname order by e.evtname), '[]')::text from pg_event_trigger e
    where e.evtenabled in ('O', 'A') and e.evtevent in ('ddl_command_start', 'ddl_command_end')
      and (e.evttags is null or e.evttags && array['CREATE SCHEMA', 'CREATE TABLE', 'REVOKE']))
from (select 1) one left join pg_namespace n on n.nspname = 'anchorwatch_quarantine'
