-- Row filters of publications: https://www.postgresql.org/docs/current/catalog-pg-publication-rel.html
select 'pg_publication_rel', json_build_array(json_build_array(x.oid::text, '0'
    , null -- pg<15
    , pg_get_expr(x.prqual, x.prrelid) -- pg>=15
  ))::text
from pg_publication_rel x
where x.oid = any ('{oids}'::oid[])
  and x.prqual is not null -- pg>=15
