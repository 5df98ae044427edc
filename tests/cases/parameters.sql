-- setup
create schema app;
create table app.t (id int primary key, n int, note text, doc tsvector) with (autovacuum_enabled = false, autovacuum_vacuum_scale_factor = 0.10, fillfactor = 70, toast.autovacuum_enabled = false);
alter table app.t alter column n set (n_distinct = -0.50);
create index t_n on app.t (n) with (deduplicate_items = off);
create index t_doc on app.t using gin (doc) with (fastupdate = off);
create index t_gist on app.t using gist (doc tsvector_ops (siglen = 100)) with (buffering = off);
alter table app.t add constraint t_note unique (note) with (fillfactor = 90);
create view app.v with (security_barrier = on) as select 1 as id;
create view app.checked with (check_option = 'local') as select id from app.t where n > 0;
create materialized view app.mv with (autovacuum_enabled = off, toast.autovacuum_enabled = off, toast.vacuum_truncate = off) as select 1 as id, 'x'::text as note;

-- case a parameter is off, not false
alter table app.t set (autovacuum_enabled = off);
-- expect note spelling table app.t

-- case a parameter is off by a part of a word
alter table app.t set (autovacuum_enabled = 'N');
-- expect note spelling table app.t

-- case a parameter is on
alter table app.t set (autovacuum_enabled = on);
-- expect altered table app.t: options

-- case a parameter of the TOAST table is off, not false
alter table app.t set (toast.autovacuum_enabled = 0);
-- expect note spelling table app.t

-- case a number is written with fewer digits
alter table app.t set (autovacuum_vacuum_scale_factor = 0.1);
-- expect note spelling table app.t

-- case a number is written with an exponent
alter table app.t set (autovacuum_vacuum_scale_factor = '1e-1', fillfactor = '+70');
-- expect note spelling table app.t

-- case a number that begins with nought counts in eights
alter table app.t set (fillfactor = '070');
-- expect altered table app.t: options

-- case one parameter is spelled otherwise and another is changed
alter table app.t set (autovacuum_enabled = off, fillfactor = 71);
-- expect altered table app.t: options

-- case one parameter is spelled otherwise and another is new
alter table app.t set (autovacuum_enabled = off, parallel_workers = 2);
-- expect altered table app.t: options

-- case the number of values of a column is written with fewer digits
alter table app.t alter column n set (n_distinct = -0.5);
-- expect note spelling column app.t.n

-- case an index keeps no lists, in other words
alter index app.t_n set (deduplicate_items = false);
alter index app.t_doc set (fastupdate = 'no');
-- expect note spelling index app.t.t_doc
-- expect note spelling index app.t.t_n

-- case a word is written in capitals
alter index app.t_gist set (buffering = 'OFF');
-- expect note spelling index app.t.t_gist

-- case another word is no spelling
alter index app.t_gist set (buffering = 'auto');
-- expect altered index app.t.t_gist: options

-- case a parameter of an operator class is written in another way
drop index app.t_gist;
create index t_gist on app.t using gist (doc tsvector_ops (siglen = '+100')) with (buffering = off);
-- expect note spelling index app.t.t_gist

-- case the parameter of a key is written in another way
alter index app.t_note set (fillfactor = '90.0');
-- expect note spelling unique app.t.t_note

-- case a view is a barrier, in other words
alter view app.v set (security_barrier = true);
-- expect note spelling view app.v

-- case a view is checked with those below it
alter view app.checked set (check_option = 'cascaded');
-- expect altered view app.checked: options

-- case parameters of a materialised view are off, not false
alter materialized view app.mv set (autovacuum_enabled = false, toast.autovacuum_enabled = false);
-- expect note spelling materialized_view app.mv
-- expect note spelling materialized_view app.mv

-- case parameters of the TOAST table of a materialised view stand in another order
alter materialized view app.mv reset (toast.autovacuum_enabled);
alter materialized view app.mv set (toast.autovacuum_enabled = off);
-- expect nothing
