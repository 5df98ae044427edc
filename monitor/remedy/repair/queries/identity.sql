/* anchorwatch repair: identity */
-- What tells two databases apart; a copy of a server's files has all but the start in common.
select current_database()::text,
  (select oid::bigint::text from pg_database where datname = current_database()),
  to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
  pg_is_in_recovery()::text,
  (select coalesce(json_object_agg(n.nspname || '.' || c.relname, c.oid::bigint), '{{}}')::text
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where (n.nspname, c.relname) in ({tables}))
