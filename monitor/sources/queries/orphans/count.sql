/* anchorwatch orphans: count */
-- Rows without a parent, in one snapshot: an anti-join, which the planner runs in one pass.
select count(*)::text from {child} as c where {present} and not {kept}
