/* anchorwatch orphans: sample */
-- The keys of some rows without a parent.
select json_build_array({key})::text from {child} as c where {present} and not {kept} limit {limit}
