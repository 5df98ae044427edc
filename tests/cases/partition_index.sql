-- setup
create schema app;
create table app.events (at date not null, n int not null, k int not null) partition by range (at);
create unique index by_n on app.events (at, n);
create unique index by_k on app.events (at, k);
create index slim on app.events (n) with (fillfactor = 70);
alter table app.events add constraint events_key primary key (at, n, k);
create table app.events_25 partition of app.events for values from ('2025-01-01') to ('2026-01-01');
alter table app.events_25 replica identity using index events_25_at_n_idx;
alter table app.events_25 cluster on events_25_at_n_idx;
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01') partition by range (at);
create table app.events_26_1 partition of app.events_26 for values from ('2026-01-01') to ('2026-07-01');
create table app.own (a int not null, t varchar(9)) partition by range (a);
create table app.own_1 partition of app.own for values from (0) to (10);
alter table only app.own add constraint own_a unique (a);
alter table app.own_1 add constraint own_1_a unique (a);
alter index app.own_a attach partition app.own_1_a;
create index own_t on only app.own (t);
create index own_1_t on app.own_1 (t);
alter index app.own_t attach partition app.own_1_t;

-- case a key of a partition waits for the end of the transaction
alter table app.own drop constraint own_a;
alter table only app.own add constraint own_a unique (a);
alter table app.own_1 add constraint own_1_a unique (a) deferrable initially deferred;
alter index app.own_a attach partition app.own_1_a;
-- expect altered table app.own_1: partition_indexes

-- case an index of a partition is sorted the other way
drop index app.own_t;
create index own_t on only app.own (t);
create index own_1_t on app.own_1 (t desc nulls last);
alter index app.own_t attach partition app.own_1_t;
-- expect altered table app.own_1: partition_indexes

-- case an index of a partition compares as another type does
drop index app.own_t;
create index own_t on only app.own (t);
create index own_1_t on app.own_1 (t varchar_ops);
alter index app.own_t attach partition app.own_1_t;
-- expect altered table app.own_1: partition_indexes

-- case a partition is identified by another index of its parent's
alter table app.events_25 replica identity using index events_25_at_k_idx;
-- expect altered table app.events_25: replica_identity

-- case a partition is identified by its part of the primary key
alter table app.events_25 replica identity using index events_25_pkey;
-- expect altered table app.events_25: replica_identity

-- case a partition is clustered on another index of its parent's
alter table app.events_25 cluster on events_25_at_k_idx;
-- expect altered table app.events_25: cluster_index

-- case the index of a partition has options of its own
alter index app.events_25_at_k_idx set (fillfactor = 50);
-- expect altered table app.events_25: partition_indexes

-- case the index of a partition has not the options of its parent's
alter index app.events_25_n_idx reset (fillfactor);
-- expect altered table app.events_25: partition_indexes

-- case the index of a partition of a partition has options of its own
alter index app.events_26_1_at_n_idx set (deduplicate_items = off);
-- expect altered table app.events_26_1: partition_indexes

-- case the indexes of a partition have other names
alter index app.events_25_at_n_idx rename to "Of 25";
alter index app.events_25_n_idx rename to slim_25;
-- expect nothing

-- case an index that identifies a partition is renamed on its parent
alter index app.by_n rename to "By n";
alter index app.slim rename to lean;
-- expect altered index app.events.by_n: name
-- expect altered index app.events.slim: name

-- case two indexes of the parent have each other's name
alter index app.by_n rename to x;
alter index app.by_k rename to by_n;
alter index app.x rename to by_k;
-- expect altered index app.events.by_k: name
-- expect altered index app.events.by_n: name

-- case a partition with the indexes of its parent is made anew
drop table app.events_26;
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01') partition by range (at);
create table app.events_26_1 partition of app.events_26 for values from ('2026-01-01') to ('2026-07-01');
-- expect nothing
