-- setup
create schema app;
create table app.users (id int primary key, code int not null unique);
create table app.people (id int primary key);
create table app.orders (
  id int primary key, user_id int, other_id int, a int, b int,
  constraint of_user foreign key (user_id) references app.users (id)
);
create table app.pairs (a int, b int, primary key (a, b));
alter table app.orders add constraint of_pair foreign key (a, b) references app.pairs on delete set null;
create extension btree_gist;

-- case a foreign key is dropped
alter table app.orders drop constraint of_user;
-- expect missing foreign_key app.orders.of_user

-- case a foreign key is added by hand
alter table app.orders add foreign key (other_id) references app.users;
-- expect unexpected foreign_key app.orders.orders_other_id_fkey

-- case a foreign key is renamed
alter table app.orders rename constraint of_user to of_person;
-- expect altered foreign_key app.orders.of_user: name

-- case a foreign key is there twice
alter table app.orders add constraint of_user_too foreign key (user_id) references app.users (id);
-- expect unexpected foreign_key app.orders.of_user_too

-- case a foreign key is of another column
alter table app.orders drop constraint of_user, add constraint of_user foreign key (other_id) references app.users;
-- expect altered foreign_key app.orders.of_user: columns

-- case a foreign key refers to another table
alter table app.orders drop constraint of_user, add constraint of_user foreign key (user_id) references app.people;
-- expect altered foreign_key app.orders.of_user: references

-- case a foreign key refers to another column
alter table app.orders drop constraint of_user, add constraint of_user foreign key (user_id) references app.users (code);
-- expect altered foreign_key app.orders.of_user: referenced_columns

-- case a foreign key matches in another way
alter table app.orders drop constraint of_pair,
  add constraint of_pair foreign key (a, b) references app.pairs match full on delete set null;
-- expect altered foreign_key app.orders.of_pair: match

-- case a foreign key follows updates
alter table app.orders drop constraint of_user, add constraint of_user foreign key (user_id) references app.users on update cascade;
-- expect altered foreign_key app.orders.of_user: on_update

-- case a foreign key deletes
alter table app.orders drop constraint of_user, add constraint of_user foreign key (user_id) references app.users on delete cascade;
-- expect altered foreign_key app.orders.of_user: on_delete

-- case a foreign key restricts
alter table app.orders drop constraint of_user,
  add constraint of_user foreign key (user_id) references app.users on delete restrict on update set default;
-- expect altered foreign_key app.orders.of_user: on_delete, on_update

-- case a foreign key sets one column only
alter table app.orders drop constraint of_pair,
  add constraint of_pair foreign key (a, b) references app.pairs on delete set null (b);
-- needs pg>=15
-- expect altered foreign_key app.orders.of_pair: on_delete_columns

-- case a foreign key was never checked
alter table app.orders drop constraint of_user, add constraint of_user foreign key (user_id) references app.users not valid;
-- expect altered foreign_key app.orders.of_user: valid

-- case a foreign key is not enforced
alter table app.orders alter constraint of_user not enforced;
-- needs pg>=18
-- expect altered foreign_key app.orders.of_user: enforced, valid

-- case a foreign key is validated
alter table app.orders drop constraint of_user, add constraint of_user foreign key (user_id) references app.users not valid;
alter table app.orders validate constraint of_user;
-- expect nothing

-- case a foreign key may be deferred
alter table app.orders alter constraint of_user deferrable;
-- expect altered foreign_key app.orders.of_user: deferrable

-- case a foreign key is deferred
alter table app.orders alter constraint of_user deferrable initially deferred;
-- expect altered foreign_key app.orders.of_user: deferrable, initially_deferred

-- case a foreign key is commented
comment on constraint of_user on app.orders is 'whose';
-- expect altered foreign_key app.orders.of_user: comment

-- case a foreign key of a partitioned table is told once
create table app.p (id int, user_id int references app.users) partition by list (id);
create table app.p1 partition of app.p for values in (1);
drop table app.p;
-- expect nothing
