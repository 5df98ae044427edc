/* anchorwatch repair: uniques */
-- The keys of a table: the columns of each unique index on plain columns, what compares them, and
-- whether nulls are the same (from PostgreSQL 15 on).
select i.indexrelid::regclass::text, json_agg(a.attname order by u.place)::text,
  json_agg(json_build_array(n.nspname, o.oprname) order by u.place)::text,
  coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false')
from pg_index i
  cross join lateral unnest((i.indkey::int2[])[0:i.indnkeyatts - 1], (i.indclass::oid[])[0:i.indnkeyatts - 1])
    with ordinality u (number, class, place)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.number
  join pg_opclass k on k.oid = u.class
  join pg_am m on m.oid = k.opcmethod and m.amname = 'btree'
  join pg_amop p on p.amopfamily = k.opcfamily and p.amopstrategy = 3
    and p.amoplefttype = k.opcintype and p.amoprighttype = k.opcintype
  join pg_operator o on o.oid = p.amopopr
  join pg_namespace n on n.oid = o.oprnamespace
where i.indrelid = {table}::oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
group by i.*, i.indexrelid, i.indisprimary, i.indnkeyatts
having count(*) = i.indnkeyatts
order by i.indisprimary desc, i.indexrelid
