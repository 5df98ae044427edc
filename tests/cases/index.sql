-- setup
create schema app;
create table app.t (id int, n int, name text, code varchar(20) collate "C", letter char(1), body jsonb, doc tsvector, at timestamptz);
create index t_n on app.t (n);
create index t_name on app.t (name);
create index t_lower on app.t (lower(name));
create index t_two on app.t (id, n);
create index t_doc on app.t using gist (doc);
create index t_code on app.t (code);
create index t_letter on app.t (letter);
create unique index t_id on app.t (id);
create index t_partial on app.t (n) where n > 0;
create table app.events (at date, n int) partition by range (at);
create table app.events_25 partition of app.events for values from ('2025-01-01') to ('2026-01-01');
create index events_n on app.events (n);
create materialized view app.mv as select id from app.t;
create index mv_id on app.mv (id);

-- case an index is dropped
drop index app.t_n;
-- expect missing index app.t.t_n

-- case an index of a materialised view is dropped
drop index app.mv_id;
-- expect missing index app.mv.mv_id

-- case an index is added by hand
create index on app.t (name, n);
-- expect unexpected index app.t.t_name_n_idx

-- case an index is renamed
alter index app.t_n rename to by_n;
-- expect altered index app.t.t_n: name

-- case an index is there twice
create index t_n_again on app.t (n);
-- expect unexpected index app.t.t_n_again

-- case two of the same are renamed into two others
create index t_n_again on app.t (n);
alter index app.t_n rename to t_n_first;
-- expect missing index app.t.t_n
-- expect unexpected index app.t.t_n_first
-- expect unexpected index app.t.t_n_again

-- case an index has another method
drop index app.t_n;
create index t_n on app.t using hash (n);
-- expect altered index app.t.t_n: method

-- case an index has another column
drop index app.t_n;
create index t_n on app.t (id);
-- expect altered index app.t.t_n: columns

-- case the columns of an index stand in another order
drop index app.t_two;
create index t_two on app.t (n, id);
-- expect altered index app.t.t_two: columns

-- case an index is of another expression
drop index app.t_lower;
create index t_lower on app.t (upper(name));
-- expect altered index app.t.t_lower: expressions

-- case an index is of a column instead of an expression
drop index app.t_lower;
create index t_lower on app.t (name);
-- expect altered index app.t.t_lower: columns, expressions

-- case an index has another operator class
drop index app.t_name;
create index t_name on app.t (name text_pattern_ops);
-- expect altered index app.t.t_name: opclasses

-- case an index has the operator class of another type
drop index app.t_name;
create index t_name on app.t (name bpchar_ops);
-- expect altered index app.t.t_name: opclasses

-- case an operator class has a parameter
drop index app.t_doc;
create index t_doc on app.t using gist (doc tsvector_ops (siglen = 200));
-- expect altered index app.t.t_doc: opclass_options

-- case an index sorts in another way
drop index app.t_name;
create index t_name on app.t (name collate "C");
-- expect altered index app.t.t_name: collations

-- case an index does not sort as its column does
drop index app.t_code;
create index t_code on app.t (code collate "default");
-- expect altered index app.t.t_code: collations

-- case an index says what its column says
drop index app.t_code;
create index t_code on app.t (code collate "C" asc nulls last);
-- expect nothing

-- case an index runs the other way
drop index app.t_two;
create index t_two on app.t (id, n desc);
-- expect altered index app.t.t_two: order

-- case an index has its NULLs at the other end
drop index app.t_two;
create index t_two on app.t (id desc nulls last, n nulls first);
-- expect altered index app.t.t_two: order

-- case an index carries another column
drop index app.t_n;
create index t_n on app.t (n) include (name);
-- expect altered index app.t.t_n: include

-- case a unique index is not unique
drop index app.t_id;
create index t_id on app.t (id);
-- expect altered index app.t.t_id: unique

-- case two NULLs are the same
drop index app.t_id;
create unique index t_id on app.t (id) nulls not distinct;
-- needs pg>=15
-- expect altered index app.t.t_id: nulls_not_distinct

-- case an index is partial
drop index app.t_n;
create index t_n on app.t (n) where n > 0;
-- expect altered index app.t.t_n: predicate

-- case a partial index has another condition
drop index app.t_partial;
create index t_partial on app.t (n) where n > 1;
-- expect altered index app.t.t_partial: predicate

-- case an index is not valid
update pg_index set indisvalid = false where indexrelid = 'app.t_n'::regclass;
-- expect altered index app.t.t_n: valid

-- case an index is not ready
update pg_index set indisready = false where indexrelid = 'app.t_n'::regclass;
-- expect altered index app.t.t_n: valid

-- case an index has a storage parameter
alter index app.t_n set (fillfactor = 50);
-- expect altered index app.t.t_n: options

-- case an index is moved to another tablespace
alter index app.t_n set tablespace case_space;
-- expect altered index app.t.t_n: tablespace

-- case an expression of an index has a statistics target
alter index app.t_lower alter column 1 set statistics 500;
-- expect altered index app.t.t_lower: statistics

-- case an index is commented
comment on index app.t_n is 'by n';
-- expect altered index app.t.t_n: comment

-- case an index is built again
reindex index app.t_n;
-- expect nothing

-- case an index is built again without a pause
reindex index concurrently app.t_n;
-- expect nothing

-- case an index of a partitioned table is told once
create index on app.events (at);
-- expect unexpected index app.events.events_at_idx

-- case an index of a partition is its own
create index on app.events_25 (at);
-- expect unexpected index app.events_25.events_25_at_idx

-- case an index of a partition has another name
alter index app.events_25_n_idx rename to whatever;
-- expect nothing

-- case an index of a partitioned table waits for its partitions
create index events_at on only app.events (at);
-- expect unexpected index app.events.events_at
