-- setup
create schema app;
create table app.t (id int, n int, note text, during tstzrange, constraint t_id_key unique (id));
create extension btree_gist;
create table app.versions (id int4range, during tstzrange, constraint versions_key unique (id, during));

-- case a unique constraint is dropped
alter table app.t drop constraint t_id_key;
-- expect missing unique app.t.t_id_key

-- case a unique constraint is added by hand
alter table app.t add unique (n);
-- expect unexpected unique app.t.t_n_key

-- case a unique constraint is replaced by a unique index
alter table app.t drop constraint t_id_key;
create unique index t_id_key on app.t (id);
-- expect missing unique app.t.t_id_key
-- expect unexpected index app.t.t_id_key

-- case a unique constraint is renamed
alter table app.t rename constraint t_id_key to one_id;
-- expect altered unique app.t.t_id_key: name

-- case a unique constraint is there twice
alter table app.t add constraint t_id_key1 unique (id);
-- expect unexpected unique app.t.t_id_key1

-- case a unique constraint has other columns
alter table app.t drop constraint t_id_key, add constraint t_id_key unique (id, n);
-- expect altered unique app.t.t_id_key: columns

-- case a unique constraint carries another column
alter table app.t drop constraint t_id_key, add constraint t_id_key unique (id) include (n);
-- expect altered unique app.t.t_id_key: include

-- case a unique constraint has a storage parameter
alter index app.t_id_key set (fillfactor = 50);
-- expect altered unique app.t.t_id_key: options

-- case a unique constraint is moved to another tablespace
alter index app.t_id_key set tablespace case_space;
-- expect altered unique app.t.t_id_key: tablespace

-- case the index of a unique constraint is not valid
update pg_index set indisvalid = false where indexrelid = 'app.t_id_key'::regclass;
-- expect altered unique app.t.t_id_key: valid

-- case two NULLs are the same
alter table app.t drop constraint t_id_key, add constraint t_id_key unique nulls not distinct (id);
-- needs pg>=15
-- expect altered unique app.t.t_id_key: nulls_not_distinct

-- case a unique constraint may be deferred
alter table app.t drop constraint t_id_key, add constraint t_id_key unique (id) deferrable;
-- expect altered unique app.t.t_id_key: deferrable

-- case a unique constraint is deferred
alter table app.t drop constraint t_id_key, add constraint t_id_key unique (id) deferrable initially deferred;
-- expect altered unique app.t.t_id_key: deferrable, initially_deferred

-- case the last column of a unique constraint must not overlap
alter table app.versions drop constraint versions_key, add constraint versions_key unique (id, during without overlaps);
-- needs pg>=18
-- expect altered unique app.versions.versions_key: period

-- case a unique constraint is commented
comment on constraint t_id_key on app.t is 'the key';
-- expect altered unique app.t.t_id_key: comment

-- case the index of a unique constraint is commented
comment on index app.t_id_key is 'the index';
-- expect altered unique app.t.t_id_key: index_comment

-- case both are commented
comment on constraint t_id_key on app.t is 'the key';
comment on index app.t_id_key is 'the index';
-- expect altered unique app.t.t_id_key: comment, index_comment
