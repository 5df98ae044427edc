-- Collations by number, for the columns of indexes; 100 is "default".
select 'collation', 'pg_collation', c.oid::text, '0', null, null, null, null,
  to_json(quote_ident(n.nspname) || '.' || quote_ident(c.collname))::text
from pg_collation c join pg_namespace n on n.oid = c.collnamespace
where c.oid in (select unnest(i.indcollation::oid[]) from pg_index i where i.indrelid >= 16384)
