-- setup
create schema app;
create table app.t (id int, during tstzrange, constraint apart exclude using gist (during with &&));

-- case an exclusion is dropped
alter table app.t drop constraint apart;
-- expect missing exclusion app.t.apart

-- case an exclusion is added by hand
alter table app.t add constraint more exclude using gist (during with &&) where (id > 0);
-- expect unexpected exclusion app.t.more

-- case an exclusion is renamed
alter table app.t rename constraint apart to disjoint;
-- expect altered exclusion app.t.apart: name

-- case an exclusion has a condition
alter table app.t drop constraint apart, add constraint apart exclude using gist (during with &&) where (id > 0);
-- expect altered exclusion app.t.apart: definition

-- case an exclusion may be deferred
alter table app.t drop constraint apart, add constraint apart exclude using gist (during with &&) deferrable;
-- expect altered exclusion app.t.apart: definition

-- case an exclusion has a storage parameter
alter index app.apart set (fillfactor = 50);
-- expect altered exclusion app.t.apart: definition

-- case an exclusion is moved to another tablespace
alter index app.apart set tablespace case_space;
-- expect altered exclusion app.t.apart: tablespace

-- case the index of an exclusion is not valid
update pg_index set indisvalid = false where indexrelid = 'app.apart'::regclass;
-- expect altered exclusion app.t.apart: valid

-- case an exclusion is commented
comment on constraint apart on app.t is 'never at once';
-- expect altered exclusion app.t.apart: comment

-- case the index of an exclusion is commented
comment on index app.apart is 'the index';
-- expect altered exclusion app.t.apart: index_comment

-- case an exclusion over an expression is added by hand
alter table app.t add constraint computed exclude using gist (int4range(id, id + 1) with &&);
-- expect unexpected exclusion app.t.computed

-- case an exclusion reads an expression instead of a column
alter table app.t drop constraint apart, add constraint apart exclude using gist ((during * during) with &&);
-- expect altered exclusion app.t.apart: definition
