-- Expressions of policies; one with a subquery locks what that reads until the transaction ends.
-- https://www.postgresql.org/docs/current/catalog-pg-policy.html
select 'pg_policy', json_build_array(
    json_build_array(p.oid::text, 'using', pg_get_expr(p.polqual, p.polrelid)),
    json_build_array(p.oid::text, 'check', pg_get_expr(p.polwithcheck, p.polrelid))
  )::text
from pg_policy p
where p.oid = any ('{oids}'::oid[])
