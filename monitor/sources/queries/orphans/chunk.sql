/* anchorwatch orphans: chunk */
-- The next rows in the order of the child's key: how many, how many without a parent, the last.
with chunk as materialized (
  select {columns} from {child} as c where {after} order by {order} limit {limit}
)
select (select count(*) from chunk)::text,
  (select count(*) from chunk as c where {present} and not {kept})::text,
  (select json_build_array({last})::text from chunk as c order by {descending} limit 1)
