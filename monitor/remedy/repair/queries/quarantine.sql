/* anchorwatch repair: quarantine */
-- The tables in which rows are kept. A batch stays when it was undone, as history.
create schema anchorwatch_quarantine;
create table anchorwatch_quarantine.batches (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  relation text not null,
  reason text not null,
  who text not null default session_user,
  version text not null,
  kept bigint not null,
  undone_at timestamptz,
  undone_by text
);
create table anchorwatch_quarantine.rows (
  batch bigint not null references anchorwatch_quarantine.batches,
  number bigint not null,
  "schema" text not null,
  "table" text not null,
  "values" jsonb not null,
  primary key (batch, number)
);
