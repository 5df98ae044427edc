-- setup
-- needs pg>=18
create schema app;
create extension btree_gist;
create table app.rooms (id int, during tstzrange, primary key (id, during without overlaps));
create table app.twins (id int, during tstzrange, primary key (id, during));
create table app.stays (room_id int, during tstzrange);
alter table app.stays add constraint of_room foreign key (room_id, period during) references app.rooms (id, period during);

-- case a foreign key with a period is dropped
alter table app.stays drop constraint of_room;
-- expect missing foreign_key app.stays.of_room

-- case a foreign key is without its period
alter table app.stays drop constraint of_room;
alter table app.stays add constraint of_room foreign key (room_id, during) references app.twins (id, during);
-- expect altered foreign_key app.stays.of_room: period, references
