-- setup
create schema app;
create foreign data wrapper w;
create server s foreign data wrapper w;
create server s_two foreign data wrapper w;
create foreign table app.far (a int not null, b text check (b <> '')) server s options (table_name 'x', password 'pl4nted');
create table app.parent (c int);
create foreign table app.heir (c int, d int) inherits (app.parent) server s;
create table app.events (at date, n int) partition by range (at);
create foreign table app.events_25 partition of app.events for values from ('2025-01-01') to ('2026-01-01') server s;
create function app.noop() returns trigger language plpgsql as 'begin return new; end';
create trigger touch before insert on app.events for each row execute function app.noop();

-- case a foreign table is dropped
drop foreign table app.far;
-- expect missing foreign_table app.far

-- case a foreign table is made by hand
create foreign table app.extra (a int) server s;
-- expect unexpected foreign_table app.extra

-- case a foreign table becomes a table
drop foreign table app.far;
create table app.far (a int not null, b text check (b <> ''));
-- expect missing foreign_table app.far
-- expect unexpected table app.far

-- case a foreign table is on another server
drop foreign table app.far;
create foreign table app.far (a int not null, b text check (b <> '')) server s_two options (table_name 'x', password 'pl4nted');
-- expect altered foreign_table app.far: server

-- case a foreign table has another option
alter foreign table app.far options (set table_name 'y');
-- expect altered foreign_table app.far: foreign_options

-- case the password of a foreign table is another one
alter foreign table app.far options (set password 'other');
-- expect nothing

-- case the columns of a foreign table stand in another order
drop foreign table app.far;
create foreign table app.far (b text check (b <> ''), a int not null) server s options (table_name 'x', password 'pl4nted');
-- expect note column_order foreign_table app.far

-- case a foreign partition has other bounds
alter table app.events detach partition app.events_25;
alter table app.events attach partition app.events_25 for values from ('2025-01-01') to ('2025-07-01');
-- expect altered foreign_table app.events_25: partition_bound

-- case a foreign partition is being detached and nobody finished it
update pg_inherits set inhdetachpending = true where inhrelid = 'app.events_25'::regclass;
-- expect altered foreign_table app.events_25: detach_pending

-- case a trigger is disabled on a foreign partition
alter foreign table app.events_25 disable trigger touch;
-- expect altered foreign_table app.events_25: internal_triggers

-- case a foreign table has lost its parent
alter foreign table app.heir no inherit app.parent;
-- expect altered foreign_table app.heir: inherits

-- case a foreign table changes hands
alter foreign table app.far owner to case_super;
-- expect altered foreign_table app.far: owner

-- case a role may read a foreign table
grant select on app.far to case_reader;
-- expect altered foreign_table app.far: grants

-- case the owner may not read a foreign table
revoke select on app.far from current_user;
-- expect altered foreign_table app.far: revokes

-- case a foreign table is commented
comment on foreign table app.far is 'far';
-- expect altered foreign_table app.far: comment
