-- The database that deploy/compose.yml watches: as a small application leaves it, and the
-- role that looks at it. Docker's image of PostgreSQL runs this once, in the database `app`.
create table accounts (
  id bigint generated always as identity primary key,
  name text not null unique
);
create table orders (
  id bigint generated always as identity primary key,
  account_id bigint not null references accounts (id),
  placed_at timestamptz not null default now()
);
create index orders_by_account on orders (account_id);
create table alembic_version (version_num varchar(32) primary key);
insert into alembic_version values ('3f2a1c9d71be');

-- What `anchorwatch grants --database app` prints, with a password for this machine alone.
CREATE ROLE "anchorwatch" LOGIN PASSWORD 'demo';
ALTER ROLE "anchorwatch" SET default_transaction_read_only = on;
GRANT CONNECT ON DATABASE "app" TO "anchorwatch";
GRANT USAGE ON SCHEMA "public" TO "anchorwatch";
GRANT SELECT ON "public"."alembic_version" TO "anchorwatch";
