coalesce((select {period} operator(pg_catalog.<@) pg_catalog.range_agg({covered}) from {parent} where {match}), false)
