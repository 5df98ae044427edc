-- What belongs to an extension, and the functions and casts that the server made for a
-- range type: the reader leaves it out, with all that hangs on it.
select 'member', d.classid::regclass::text, d.objid::text, '0', null, null, null, null, null
from pg_depend d
where d.deptype = 'e' or (d.deptype = 'i' and d.classid in ('pg_proc'::regclass, 'pg_cast'::regclass))
