-- setup
create schema app;
create table app.users (id serial primary key, email text, name text, boss int references app.users, constraint adult check (id > 17));
alter table app.users add constraint uq_users_email unique (email);
create index ix_users_email on app.users (email);
create index ix_users_name on app.users (name);
alter table app.users cluster on ix_users_name;
create table app.a_table_whose_name_is_so_long_that_postgresql_has_no_room_left (a_column_with_a_long_name_as_well int unique);
create table app.dup (n int);
create index dup_n_idx on app.dup (n);
create index dup_n_idx1 on app.dup (n);
create table app.logged (id int);
create unique index logged_id on app.logged (id);
alter table app.logged alter id set not null;
alter table app.logged replica identity using index logged_id;
create sequence app.drawn;
create view app.draws as select nextval('app.drawn') as n, 'app.drawn'::text as told;

-- case a naming convention against the server's own names
alter table app.users rename constraint uq_users_email to users_email_key;
alter table app.users rename constraint users_boss_fkey to fk_users_boss_users;
alter table app.users rename constraint adult to ck_users_adult;
alter table app.users rename constraint users_pkey to pk_users;
-- expect altered unique app.users.uq_users_email: name
-- expect altered foreign_key app.users.users_boss_fkey: name
-- expect altered check app.users.adult: name
-- expect altered primary_key app.users.users_pkey: name

-- case a constraint that was made twice has the other of its names
alter table app.users add unique (email);
alter table app.users add unique (email);
alter table app.users drop constraint users_email_key;
alter table app.users drop constraint uq_users_email;
-- expect altered unique app.users.uq_users_email: name

-- case a foreign key that was made anew is told by its suffix alone
alter table app.users add foreign key (boss) references app.users;
alter table app.users drop constraint users_boss_fkey;
-- expect altered foreign_key app.users.users_boss_fkey: name

-- case a foreign key that was made anew was not checked
alter table app.users drop constraint users_boss_fkey;
alter table app.users add constraint boss_fk foreign key (boss) references app.users not valid;
-- expect altered foreign_key app.users.users_boss_fkey: name, valid

-- case a name that was cut to 63 bytes
alter table app.a_table_whose_name_is_so_long_that_postgresql_has_no_room_left drop constraint a_table_whose_name_is_so_long_a_column_with_a_long_name_as__key;
alter table app.a_table_whose_name_is_so_long_that_postgresql_has_no_room_left add constraint uq_a_table_whose_name_is_so_long_that_postgresql_has_no_ro_1f2e unique (a_column_with_a_long_name_as_well);
-- expect altered unique app.a_table_whose_name_is_so_long_that_postgresql_has_no_room_left.a_table_whose_name_is_so_long_a_column_with_a_long_name_as__key: name

-- case two indexes have each other's name
alter index app.ix_users_email rename to x;
alter index app.ix_users_name rename to ix_users_email;
alter index app.x rename to ix_users_name;
-- expect altered index app.users.ix_users_email: name
-- expect altered index app.users.ix_users_name: name

-- case three names went round
alter index app.ix_users_email rename to x;
alter index app.ix_users_name rename to ix_users_email;
create index ix_users_both on app.users (email, name);
-- expect altered index app.users.ix_users_email: name
-- expect altered index app.users.ix_users_name: name
-- expect unexpected index app.users.ix_users_both

-- case an index that its table mentions is renamed
alter index app.ix_users_name rename to by_name;
alter index app.logged_id rename to the_id;
-- expect altered index app.users.ix_users_name: name
-- expect altered index app.logged.logged_id: name

-- case a table stays clustered on a name that another index took
alter index app.ix_users_email rename to x;
alter index app.ix_users_name rename to ix_users_email;
alter index app.x rename to ix_users_name;
alter table app.users cluster on ix_users_name;
-- expect altered index app.users.ix_users_email: name
-- expect altered index app.users.ix_users_name: name
-- expect altered table app.users: cluster_index

-- case a foreign key that is switched off is renamed
alter table app.users disable trigger all;
alter table app.users rename constraint users_boss_fkey to boss;
-- expect altered foreign_key app.users.users_boss_fkey: name
-- expect altered table app.users: internal_triggers

-- case a sequence that a default draws from is renamed
alter sequence app.users_id_seq rename to "Users ids";
-- expect altered sequence app.users_id_seq: name

-- case a renamed index is commented
alter index app.ix_users_name rename to by_name;
comment on index app.by_name is 'by name';
-- expect altered index app.users.ix_users_name: name, comment

-- case one of two that are equal is renamed
alter index app.dup_n_idx rename to by_n;
-- expect altered index app.dup.dup_n_idx: name

-- case two that are equal are renamed
alter index app.dup_n_idx rename to by_n;
alter index app.dup_n_idx1 rename to by_n1;
-- expect altered index app.dup.dup_n_idx: name
-- expect altered index app.dup.dup_n_idx1: name

-- case two that are equal have each other's name
alter index app.dup_n_idx rename to x;
alter index app.dup_n_idx1 rename to dup_n_idx;
alter index app.x rename to dup_n_idx1;
-- expect nothing

-- case one of two that are equal is dropped
drop index app.dup_n_idx;
-- expect missing index app.dup.dup_n_idx

-- case a unique constraint became a unique index of the same name
alter table app.users drop constraint uq_users_email;
create unique index uq_users_email on app.users (email);
-- expect missing unique app.users.uq_users_email
-- expect unexpected index app.users.uq_users_email

-- case an index was renamed and another took its name
alter index app.ix_users_email rename to by_email;
create index ix_users_email on app.users (name, email);
-- expect altered index app.users.ix_users_email: columns
-- expect unexpected index app.users.by_email

-- case a sequence that a view draws from is renamed
alter sequence app.drawn rename to "It's drawn";
-- expect altered sequence app.drawn: name

-- case a sequence is renamed to a word of SQL
alter sequence app.users_id_seq rename to "order";
-- expect altered sequence app.users_id_seq: name

-- case a sequence that nothing mentions is no rename of another one
drop view app.draws;
drop sequence app.drawn;
create sequence app.another;
-- expect missing view app.draws
-- expect missing sequence app.drawn
-- expect unexpected sequence app.another
