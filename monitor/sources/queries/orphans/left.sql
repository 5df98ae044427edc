/* anchorwatch orphans: left */
({row}.ctid = any (${places}::text[]::tid[])
  and ({row}.tableoid::bigint::text, {row}.ctid::text) in (select * from unnest(${tables}::text[], ${places}::text[])))
