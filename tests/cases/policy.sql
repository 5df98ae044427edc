-- setup
create schema app;
create table app.t (id int, name text);
alter table app.t enable row level security;
create policy own on app.t for update to case_reader using (id > 0) with check (id > 0);

-- case a policy is dropped
drop policy own on app.t;
-- expect missing policy app.t.own

-- case a policy is made by hand
create policy extra on app.t using (true);
-- expect unexpected policy app.t.extra

-- case a policy is renamed
alter policy own on app.t rename to mine;
-- expect altered policy app.t.own: name

-- case a policy is for another command
drop policy own on app.t;
create policy own on app.t for all to case_reader using (id > 0) with check (id > 0);
-- expect altered policy app.t.own: command

-- case a policy restricts
drop policy own on app.t;
create policy own on app.t as restrictive for update to case_reader using (id > 0) with check (id > 0);
-- expect altered policy app.t.own: permissive

-- case a policy is for everybody
alter policy own on app.t to public;
-- expect altered policy app.t.own: roles

-- case a policy is for one role more
alter policy own on app.t to case_writer, case_reader;
-- expect altered policy app.t.own: roles

-- case a policy shows other rows
alter policy own on app.t using (id > 1);
-- expect altered policy app.t.own: using

-- case a policy lets other rows in
alter policy own on app.t with check (true);
-- expect altered policy app.t.own: check

-- case a policy is commented
comment on policy own on app.t is 'ours';
-- expect altered policy app.t.own: comment
