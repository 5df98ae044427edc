/* anchorwatch orphans: places */
-- Where rows without a parent are: the table or partition that holds each, and its place there.
-- https://www.postgresql.org/docs/current/ddl-system-columns.html
select c.tableoid::bigint::text, c.ctid::text from {child} as c where {present} and not {kept} limit {limit}
