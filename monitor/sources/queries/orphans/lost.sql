/* anchorwatch orphans: lost */
-- Rows that lose their last parents when some rows leave, without those that leave themselves.
-- What references none of these is not looked at twice.
select count(*)::text from {child} as c
where {present} and exists (select from {parent} where {match} and {left})
  and {kept} and not {staying} and not {own}
