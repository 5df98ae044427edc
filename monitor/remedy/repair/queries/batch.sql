/* anchorwatch repair: batch */
-- What a batch holds: of each table how many rows, and which columns were kept.
select b.relation, b.undone_at::text, b.undone_by, b.kept::text,
  (select coalesce(json_agg(json_build_object('schema', t."schema", 'table', t."table",
      'rows', t.rows, 'columns', t.columns) order by t.first), '[]')::text
    from (select k."schema", k."table", count(*) as rows, min(k.number) as first,
        (select json_agg(c) from jsonb_object_keys((array_agg(k."values"))[1]) c) as columns
      from anchorwatch_quarantine.rows k where k.batch = b.id group by 1, 2) t)
from anchorwatch_quarantine.batches b where b.id = {batch}
