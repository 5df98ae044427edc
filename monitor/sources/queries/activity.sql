-- This moment, and what other sessions do to relations: locks that only DDL takes (those of a
-- build without ACCESS EXCLUSIVE count for indexes only; autovacuum takes them as well),
-- writes to a version table (the reader knows which it is), and, where this role may see
-- it, the index that is being built.
-- https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
-- https://www.postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING
select 'lock', 'pg_class', l.relation::text, '0', null, null, null, null, to_json(l.mode)::text
from pg_locks l
where l.locktype = 'relation' and l.pid <> pg_backend_pid() and l.relation >= 16384
  and not exists (select from pg_class c where c.oid = l.relation and c.relpersistence = 't')
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.mode in ('AccessExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock', 'ShareUpdateExclusiveLock')
    or l.mode = 'RowExclusiveLock' and exists (select from pg_attribute a where a.attrelid = l.relation and a.attname = 'version_num'))
union all
select 'building', 'pg_class', p.index_relid::text, '0', null, null, null, null, to_json(p.relid::text)::text
from pg_stat_progress_create_index p
where p.datname = current_database() and p.index_relid >= 16384
union all
select 'moment', null, null, null, null, null, null, null, pg_current_snapshot()::text
