-- setup
create schema app;
create table app.accounts (id int primary key);
create table app.events (id int not null, at date not null, account_id int, note text, primary key (id, at)) partition by range (at);
create index events_account on app.events (account_id);
alter table app.events add constraint events_account_fk foreign key (account_id) references app.accounts;
alter table app.events add constraint noted check (note <> '');
create table app.events_24 partition of app.events for values from ('2024-01-01') to ('2025-01-01');
create table app.events_25 partition of app.events for values from ('2025-01-01') to ('2026-01-01');
create table app.kinds (kind int, n int) partition by list (kind);
create table app.kinds_1 partition of app.kinds for values in (1) partition by hash (n);
create table app.kinds_1_0 partition of app.kinds_1 for values with (modulus 2, remainder 0);
create table app.parent (id int, n int);
create table app.heir (own int) inherits (app.parent);

-- case a new partition for new times
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01');
-- expect note partition table app.events

-- case a new partition with things of its own
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01');
create index on app.events_26 (note);
alter table app.events_26 add check (id > 0);
grant select on app.events_26 to case_reader;
-- expect note partition table app.events

-- case a new partition that was a table before
create table app.events_26 (like app.events including defaults including constraints);
create unique index my_key on app.events_26 (id, at);
create index my_account on app.events_26 (account_id);
alter table app.events attach partition app.events_26 for values from ('2026-01-01') to ('2027-01-01');
-- expect note partition table app.events

-- case a partition that was made anew with indexes in another order
drop table app.events_25;
create table app.events_25 (like app.events including defaults including constraints);
create index on app.events_25 (account_id);
alter table app.events_25 add constraint their_key primary key (id, at);
alter table app.events attach partition app.events_25 for values from ('2025-01-01') to ('2026-01-01');
-- expect nothing

-- case an index of a partitioned table was put together from those of its partitions
drop index app.events_account;
create index i24 on app.events_24 (account_id);
create index i25 on app.events_25 (account_id);
create index events_account on only app.events (account_id);
alter index app.events_account attach partition app.i25;
alter index app.events_account attach partition app.i24;
-- expect nothing

-- case an index of a partitioned table lacks that of a partition
drop index app.events_account;
create index i25 on app.events_25 (account_id);
create index events_account on only app.events (account_id);
alter index app.events_account attach partition app.i25;
-- expect altered index app.events.events_account: valid

-- case a new partition in strict scope
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01');
-- scope partitions strict
-- expect unexpected table app.events_26

-- case an old partition is dropped
drop table app.events_24;
-- expect missing table app.events_24

-- case an old partition is dropped where partitions come and go
drop table app.events_24;
-- scope partitions ignore
-- expect note partition table app.events
-- expect note partition table app.kinds
-- expect note partition table app.kinds_1

-- case an old partition is detached
alter table app.events detach partition app.events_24;
-- expect altered table app.events_24: inherits, partition_bound
-- expect unexpected check app.events_24.noted
-- expect unexpected foreign_key app.events_24.events_account_fk
-- expect unexpected index app.events_24.events_24_account_id_idx
-- expect unexpected primary_key app.events_24.events_24_pkey

-- case an old partition is detached where partitions come and go
alter table app.events detach partition app.events_24;
-- scope partitions ignore
-- expect note partition table app.events
-- expect note partition table app.kinds
-- expect note partition table app.kinds_1

-- case a partition that nobody expected is detached where partitions come and go
create table app.events_23 partition of app.events for values from ('2023-01-01') to ('2024-01-01');
alter table app.events detach partition app.events_23;
-- scope partitions ignore
-- expect note partition table app.events
-- expect note partition table app.kinds
-- expect note partition table app.kinds_1

-- case a partition is being detached where partitions come and go
update pg_inherits set inhdetachpending = true where inhrelid = 'app.events_24'::regclass;
-- scope partitions ignore
-- expect altered table app.events_24: detach_pending
-- expect note partition table app.events
-- expect note partition table app.kinds
-- expect note partition table app.kinds_1

-- case a partition for all the rest
create table app.events_rest partition of app.events default;
-- expect unexpected table app.events_rest

-- case a partition of a partition
create table app.kinds_1_1 partition of app.kinds_1 for values with (modulus 2, remainder 1);
-- expect note partition table app.kinds_1

-- case a partition that is partitioned
create table app.kinds_2 partition of app.kinds for values in (2) partition by hash (n);
create table app.kinds_2_0 partition of app.kinds_2 for values with (modulus 1, remainder 0);
-- expect note partition table app.kinds

-- case a partitioned table is gone with all its partitions
drop table app.events;
-- expect missing table app.events

-- case a partitioned table is made by hand
create table app.more (id int) partition by range (id);
create table app.more_1 partition of app.more for values from (1) to (2);
-- expect unexpected table app.more

-- case a column of a partitioned table has another type
alter table app.events alter note type varchar(20);
-- expect altered check app.events.noted: expression
-- expect altered column app.events.note: type

-- case a column of a partitioned table is dropped
alter table app.events drop note;
-- expect missing check app.events.noted
-- expect missing column app.events.note

-- case a column of a partitioned table is added
alter table app.events add more int not null default 0;
-- expect unexpected column app.events.more

-- case a column of one partition has a default of its own
alter table app.events_25 alter note set default 'none';
-- expect altered column app.events_25.note: default

-- case a column that another table inherits has another type
alter table app.parent alter n type bigint;
-- expect altered column app.parent.n: type

-- case a table that inherits is not a partition
create table app.another () inherits (app.parent);
-- scope partitions ignore
-- expect note partition table app.events
-- expect note partition table app.kinds
-- expect note partition table app.kinds_1
-- expect unexpected table app.another

-- case a new partition does not check its foreign key
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01');
alter table app.events_26 disable trigger all;
-- expect altered table app.events_26: internal_triggers
-- expect note partition table app.events
