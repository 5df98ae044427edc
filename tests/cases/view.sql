-- setup
create schema app;
create table app.t (id int primary key, name text, amount numeric);
create view app.v as select id, name from app.t;
create view app.nested as select id from app.v where name <> '';
create view app.summed as select id, sum(amount) as total from app.t group by id;

-- case a view is dropped
drop view app.nested;
-- expect missing view app.nested

-- case a view is made by hand
create view app.extra as select 1 as one;
-- expect unexpected view app.extra

-- case a view is renamed
alter view app.summed rename to totals;
-- expect missing view app.summed
-- expect unexpected view app.totals

-- case a view reads in another way
create or replace view app.v as select id, name from app.t where id > 0;
-- expect altered view app.v: definition

-- case a view is made again as it was
create or replace view app.v as select id, name from app.t;
-- expect nothing

-- case a view is a barrier
alter view app.v set (security_barrier = true);
-- expect altered view app.v: options

-- case a view reads as who asks
alter view app.v set (security_invoker = true);
-- needs pg>=15
-- expect altered view app.v: options

-- case a view checks what is written
create or replace view app.v with (check_option = local) as select id, name from app.t;
-- expect altered view app.v: options

-- case a view changes hands
alter view app.v owner to case_owner;
-- expect altered view app.v: owner

-- case a role may read a view
grant select on app.v to case_reader;
-- expect altered view app.v: grants

-- case the owner may not read a view
revoke select on app.v from current_user;
-- expect altered view app.v: revokes

-- case a view is commented
comment on view app.v is 'names';
-- expect altered view app.v: comment
