-- setup
create schema app;
create table app.t (id int);
create rule keep as on delete to app.t do instead nothing;
create view app.v as select id from app.t;
create rule add as on insert to app.v do instead insert into app.t values (new.id);

-- case a rule is dropped
drop rule keep on app.t;
-- expect missing rule app.t.keep

-- case a rule of a view is dropped
drop rule add on app.v;
-- expect missing rule app.v.add

-- case a rule is made by hand
create rule quiet as on update to app.t do instead nothing;
-- expect unexpected rule app.t.quiet

-- case a rule is renamed
alter rule keep on app.t rename to hold;
-- expect missing rule app.t.keep
-- expect unexpected rule app.t.hold

-- case a rule does something else
create or replace rule keep as on delete to app.t where old.id > 0 do instead nothing;
-- expect altered rule app.t.keep: definition

-- case a rule is disabled
alter table app.t disable rule keep;
-- expect altered rule app.t.keep: enabled

-- case a rule fires always
alter table app.t enable always rule keep;
-- expect altered rule app.t.keep: enabled

-- case a rule is commented
comment on rule keep on app.t is 'never delete';
-- expect altered rule app.t.keep: comment
