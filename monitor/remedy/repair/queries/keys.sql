/* anchorwatch repair: keys */
-- How many parents are missing, and how many of their keys are null in part.
select count(*)::text, (count(*) filter (where num_nulls({columns}) > 0))::text from ({keys}) as k
