-- setup
create schema app;
create access method heap2 type table handler heap_tableam_handler;
create type app.kind as (id int, note text);
create table app.plain (id int not null, note text);
create unique index plain_id on app.plain (id);
create index plain_note on app.plain (note);
create table app.tuned (id int, note text) with (fillfactor = 70, toast.autovacuum_enabled = false);
create function app.odd() returns int language sql as 'select 1';
create table app."odd()" (id int constraint positive check (id > 0));
create table app.keyed (id int primary key, n int unique deferrable);
create table app.child (id int, keyed_id int constraint child_fk references app.keyed);
create table app.parent (id int);
create table app.parent_two (id int);
create table app.heir (id int, b int) inherits (app.parent);
create table app.typed of app.kind;
create table app.events (at date not null, n int) partition by range (at);
create table app.events_25 partition of app.events for values from ('2025-01-01') to ('2026-01-01');
create function app.noop() returns trigger language plpgsql as 'begin return new; end';
create trigger touch before insert on app.events for each row execute function app.noop();

-- case a table is dropped
drop table app.plain;
-- expect missing table app.plain

-- case a table is made by hand
create table app.extra (id serial primary key, note text unique);
-- expect unexpected table app.extra

-- case a check is dropped, and a function that is called as its table is
drop function app.odd();
alter table app."odd()" drop constraint positive;
-- expect missing function app.odd()
-- expect missing check app.odd().positive

-- case a table is renamed
alter table app.typed rename to typed_two;
-- expect missing table app.typed
-- expect unexpected table app.typed_two

-- case a table goes to another schema
alter table app.typed set schema public;
-- expect missing table app.typed
-- expect unexpected table public.typed

-- case a table is replaced by a view
drop table app.tuned;
create view app.tuned as select 1 as id;
-- expect missing table app.tuned
-- expect unexpected view app.tuned

-- case a table is no longer logged
alter table app.plain set unlogged;
-- expect altered table app.plain: persistence

-- case a table is stored in another way
drop table app.tuned;
create table app.tuned (id int, note text) using heap2 with (fillfactor = 70, toast.autovacuum_enabled = false);
-- expect altered table app.tuned: access_method

-- case a storage parameter is changed
alter table app.tuned set (fillfactor = 90);
-- expect altered table app.tuned: options

-- case autovacuum is switched off
alter table app.plain set (autovacuum_enabled = off);
-- expect altered table app.plain: options

-- case a storage parameter is reset
alter table app.tuned reset (fillfactor);
-- expect altered table app.tuned: options

-- case storage parameters stand in another order
alter table app.plain set (autovacuum_enabled = off, fillfactor = 90);
alter table app.plain reset (autovacuum_enabled, fillfactor);
alter table app.tuned reset (fillfactor);
alter table app.tuned set (fillfactor = 70);
-- expect nothing

-- case a storage parameter of the TOAST table is reset
alter table app.tuned reset (toast.autovacuum_enabled);
-- expect altered table app.tuned: toast_options

-- case a table is moved to another tablespace
alter table app.plain set tablespace case_space;
-- expect altered table app.plain: tablespace

-- case row security is enabled
alter table app.plain enable row level security;
-- expect altered table app.plain: row_security

-- case row security is forced
alter table app.plain force row level security;
-- expect altered table app.plain: force_row_security

-- case the replica identity is the whole row
alter table app.plain replica identity full;
-- expect altered table app.plain: replica_identity

-- case the replica identity is an index
alter table app.plain replica identity using index plain_id;
-- expect altered table app.plain: replica_identity

-- case the replica identity is nothing
alter table app.plain replica identity nothing;
-- expect altered table app.plain: replica_identity

-- case a table is clustered on an index
alter table app.plain cluster on plain_note;
-- expect altered table app.plain: cluster_index

-- case a table is no longer of a type
alter table app.typed not of;
-- expect altered table app.typed: of_type

-- case a table is partitioned in another way
drop table app.events;
create table app.events (at date not null, n int) partition by list (at);
create trigger touch before insert on app.events for each row execute function app.noop();
-- expect altered table app.events: partition_by
-- expect missing table app.events_25

-- case a table is partitioned no longer
drop table app.events;
create table app.events (at date not null, n int);
create trigger touch before insert on app.events for each row execute function app.noop();
-- expect altered table app.events: partition_by
-- expect missing table app.events_25

-- case a partition is added
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01');
-- expect unexpected table app.events_26

-- case a partition has other bounds
alter table app.events detach partition app.events_25;
alter table app.events attach partition app.events_25 for values from ('2025-01-01') to ('2025-07-01');
-- expect altered table app.events_25: partition_bound

-- case a partition becomes the default one
alter table app.events detach partition app.events_25;
alter table app.events attach partition app.events_25 default;
-- expect altered table app.events_25: partition_bound

-- case a partition is detached and attached again
alter table app.events detach partition app.events_25;
alter table app.events attach partition app.events_25 for values from ('2025-01-01') to ('2026-01-01');
-- expect nothing

-- case a partition is detached
alter table app.events detach partition app.events_25;
-- expect altered table app.events_25: inherits, partition_bound

-- case a partition is being detached and nobody finished it
update pg_inherits set inhdetachpending = true where inhrelid = 'app.events_25'::regclass;
-- expect altered table app.events_25: detach_pending

-- case a table has lost its parent
alter table app.heir no inherit app.parent;
-- expect altered table app.heir: inherits

-- case a table has a second parent
alter table app.heir inherit app.parent_two;
-- expect altered table app.heir: inherits

-- case the triggers of a foreign key are disabled on the side that refers
alter table app.child disable trigger all;
-- expect altered table app.child: internal_triggers

-- case the triggers of keys are disabled on the side that is referred to
alter table app.keyed disable trigger all;
-- expect altered table app.keyed: internal_triggers

-- case the triggers of a foreign key are disabled and enabled again
alter table app.child disable trigger all;
alter table app.child enable trigger all;
-- expect nothing

-- case a trigger is disabled on one partition
alter table app.events_25 disable trigger touch;
-- expect altered table app.events_25: internal_triggers

-- case a trigger is disabled on a partitioned table and so on its partitions
alter table app.events disable trigger touch;
alter table app.events_25 disable trigger touch;
-- expect altered trigger app.events.touch: enabled

-- case the columns stand in another order
drop table app.plain;
create table app.plain (note text, id int not null);
create unique index plain_id on app.plain (id);
create index plain_note on app.plain (note);
-- expect note column_order table app.plain

-- case a column is dropped and added again
alter table app.parent_two add column b int;
alter table app.parent_two drop column b;
-- expect nothing

-- case a table changes hands
alter table app.plain owner to case_owner;
-- expect altered table app.plain: owner

-- case a role may read a table
grant select on app.plain to case_reader;
-- expect altered table app.plain: grants

-- case a role may read a table and pass that on
grant select on app.plain to case_reader with grant option;
-- expect altered table app.plain: grants

-- case the owner may not delete
revoke delete on app.plain from current_user;
-- expect altered table app.plain: revokes

-- case all privileges are granted to the owner
grant all on app.plain to current_user;
-- expect nothing

-- case a table is commented
comment on table app.plain is 'plain';
-- expect altered table app.plain: comment

-- case the type of a table's row is commented and granted
comment on type app.plain is 'nothing that pg_dump would tell';
grant usage on type app.plain to case_reader;
-- expect nothing

-- case rows come and go
insert into app.keyed values (1, 1), (2, 2);
insert into app.child values (1, 1);
delete from app.child;
truncate app.keyed, app.child;
analyze;
-- expect nothing
