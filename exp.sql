create table users(id bigserial primary key, email text not null, extra jsonb);
create table orders(id serial primary key, user_id int references users);
create index users_email on users(email) where email <> '';
