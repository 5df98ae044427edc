-- Columns of indexes that carry a statistics target or parameters of their operator class.
select 'index_column', 'pg_class', a.attrelid::text, a.attnum::text, null, null, null, null,
  json_build_object('statistics', nullif(coalesce(a.attstattarget, -1), -1), 'options', a.attoptions)::text
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relkind in ('i', 'I') and c.oid >= 16384 and (a.attoptions is not null or coalesce(a.attstattarget, -1) <> -1)
