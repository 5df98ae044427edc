-- setup
-- needs pg>=18
create schema app;
create table app.ev (at date not null, n int, m int, constraint ck check (n > 0) not enforced) partition by range (at);
create table app.ev_25 partition of app.ev for values from ('2025-01-01') to ('2026-01-01');
alter table app.ev add constraint nn not null m not valid;

-- case a check is enforced in one partition only
drop table app.ev_25;
create table app.ev_25 (at date not null, n int, m int, constraint ck check (n > 0));
alter table app.ev_25 add constraint nn not null m not valid;
alter table app.ev attach partition app.ev_25 for values from ('2025-01-01') to ('2026-01-01');
-- expect unexpected check app.ev_25.ck

-- case a new partition allows the nulls that its parent allows
create table app.ev_26 (at date not null, n int, m int, constraint ck check (n > 0) not enforced);
alter table app.ev_26 add constraint nn not null m not valid;
alter table app.ev attach partition app.ev_26 for values from ('2026-01-01') to ('2027-01-01');
-- expect note partition table app.ev
