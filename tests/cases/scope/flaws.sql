-- setup
create schema app;
create table app.k (id int primary key);
create function app.f() returns trigger language plpgsql as 'begin return new; end';
create table app.ev (at date not null, n int references app.k, m int) partition by range (at);
create table app.ev_24 partition of app.ev for values from ('2024-01-01') to ('2025-01-01');
create table app.ev_25 partition of app.ev for values from ('2025-01-01') to ('2026-01-01');
create trigger tr before insert on app.ev for each row execute function app.f();
create index half on only app.ev (m);
create index half_24 on app.ev_24 (m);
alter index app.half attach partition app.half_24;
create index whole on app.ev (at);
alter table app.ev_25 disable trigger tr;
alter table app.ev_25 add constraint own check (m > 0) not valid;
create table app.off (at date not null, n int references app.k) partition by range (at);
create table app.off_25 partition of app.off for values from ('2025-01-01') to ('2026-01-01');
create trigger tr before insert on app.off for each row execute function app.f();
alter table app.off disable trigger all;
create table app.lists (n int) partition by list (n);
create table app.lists_1 partition of app.lists for values in (1, 2, null);

-- case a partition lacks its part of an index that is not whole on both sides
drop index app.half;
create index half on only app.ev (m);
-- expect altered table app.ev_24: partition_indexes

-- case an index that was not whole is whole
create index half_25 on app.ev_25 (m);
alter index app.half attach partition app.half_25;
-- expect altered index app.ev.half: valid

-- case a new partition has an index that is not valid
create table app.ev_26 partition of app.ev for values from ('2026-01-01') to ('2027-01-01');
update pg_index set indisvalid = false where indexrelid = 'app.ev_26_at_idx'::regclass;
-- expect altered table app.ev_26: partition_indexes
-- expect note partition table app.ev

-- case a new partition does not check what its parent does not check either
-- needs pg>=15
create table app.off_26 (at date not null, n int references app.k);
alter table app.off attach partition app.off_26 for values from ('2026-01-01') to ('2027-01-01');
alter table app.off_26 disable trigger all;
-- expect note partition table app.off

-- case what was expected of a partition is no flaw where partitions come and go
select 1;
-- scope partitions ignore
-- expect note partition table app.ev
-- expect note partition table app.lists
-- expect note partition table app.off

-- case a trigger is disabled on the parent alone
alter table only app.ev disable trigger tr;
-- expect altered trigger app.ev.tr: enabled

-- case a trigger is disabled on the parent and its partitions
alter table app.ev disable trigger tr;
-- expect altered trigger app.ev.tr: enabled

-- case a trigger is disabled on one more partition
alter table app.ev_24 disable trigger tr;
-- expect altered table app.ev_24: internal_triggers

-- case a trigger that one partition has disabled is enabled
alter table app.ev_25 enable trigger tr;
-- expect altered table app.ev_25: internal_triggers

-- case a foreign key of the parent and its partitions is not checked
-- needs pg>=15
alter table app.ev disable trigger all;
alter table app.ev enable trigger tr;
alter table app.ev_25 disable trigger tr;
-- expect altered table app.ev: internal_triggers

-- case a trigger is renamed that a partition has disabled
-- needs pg>=15
alter trigger tr on app.ev rename to tr2;
-- expect altered trigger app.ev.tr: name

-- case a foreign key is renamed that is not checked
alter table app.off rename constraint off_n_fkey to fk;
-- expect altered foreign_key app.off.off_n_fkey: name

-- case a partition takes the same values written in another order
drop table app.lists_1;
create table app.lists_1 partition of app.lists for values in (null, 2, 1);
-- expect note spelling table app.lists_1

-- case a partition takes other values
drop table app.lists_1;
create table app.lists_1 partition of app.lists for values in (1, 3, null);
-- expect altered table app.lists_1: partition_bound

-- case a partition that nobody expects is half detached
create table app.ev_26 partition of app.ev for values from ('2026-01-01') to ('2027-01-01');
update pg_inherits set inhdetachpending = true where inhrelid = 'app.ev_26'::regclass;
-- expect altered table app.ev_26: detach_pending
-- expect note partition table app.ev
