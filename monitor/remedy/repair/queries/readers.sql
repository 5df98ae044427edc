/* anchorwatch repair: readers */
-- Who else default privileges let into the quarantine; nobody is named where everybody is.
select 'schema', g.grantee::regrole::text from pg_namespace n, aclexplode(n.nspacl) g
where n.nspname = 'anchorwatch_quarantine' and g.grantee <> n.nspowner
union
select 'table', g.grantee::regrole::text from pg_class c join pg_namespace n on n.oid = c.relnamespace,
  aclexplode(c.relacl) g
where n.nspname = 'anchorwatch_quarantine' and c.relkind in ('r', 'S') and g.grantee <> c.relowner
