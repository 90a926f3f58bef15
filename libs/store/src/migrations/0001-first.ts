import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const statements = [
  `create table event (
    id uuid primary key,
    generation bigint not null,
    sequence bigint not null,
    family text not null,
    subject text not null,
    type text not null,
    version bigint not null,
    epoch bigint not null,
    origin text not null,
    time timestamptz not null,
    envelope jsonb not null,
    applied boolean not null,
    unique (generation, sequence)
  )`,
  `create index event_by_subject on event (subject, generation, sequence)`,
  `create index event_held on event (subject, version) where not applied`,

  `create table parked (
    generation bigint not null,
    sequence bigint not null,
    subject text not null,
    body text not null,
    reason text not null,
    parked_at timestamptz not null default now(),
    primary key (generation, sequence)
  )`,

  `create table position (
    server text primary key,
    generation bigint not null,
    sequence bigint not null,
    base bigint not null,
    event_sequence bigint,
    event_id text,
    changed_at timestamptz not null default now()
  )`,

  `create table session (
    session_id uuid primary key,
    state text not null
      check (state in ('ACTIVE', 'CLOSED_NORMAL', 'CLOSED_ERROR', 'INTERRUPTED', 'DELETED')),
    started_at timestamptz not null,
    ended_at timestamptz,
    version bigint not null,
    epoch bigint not null,
    origin text not null,
    home text not null,
    participants text[] not null,
    doc jsonb not null
  )`,
  `create index session_newest on session (started_at desc, session_id desc)`,
  `create index session_newest_of_state on session (state, started_at desc, session_id desc)`,
  `create index session_active_at_home on session (home) where state = 'ACTIVE'`,
  `create index session_participants on session using gin (participants)`,

  `create table node (
    node_id text primary key,
    role text not null,
    host text,
    address text,
    epoch bigint not null,
    state text not null check (state in ('started', 'stopped', 'lost')),
    changed_at timestamptz not null
  )`,

  `create table alarm (
    alarm_id uuid primary key,
    kind text not null,
    raised_at timestamptz not null,
    detail jsonb not null,
    cleared_at timestamptz
  )`,
  `create index alarm_raised on alarm (raised_at) where cleared_at is null`,

  `create table subscription (
    subscription_id uuid primary key,
    url text not null,
    types text[] not null,
    encrypted_secret text not null,
    created_at timestamptz not null,
    deleted_at timestamptz,
    next_sequence bigint not null default 1
  )`,

  `create table delivery (
    delivery_id bigserial primary key,
    subscription_id uuid not null references subscription,
    session_key text not null,
    sequence bigint not null,
    event_id uuid not null,
    body text not null,
    state text not null default 'pending' check (state in ('pending', 'delivered', 'parked')),
    attempts int not null default 0,
    next_attempt_at timestamptz not null default now(),
    claimed_by text,
    claimed_until timestamptz,
    last_error text,
    created_at timestamptz not null default now(),
    delivered_at timestamptz,
    unique (subscription_id, sequence)
  )`,
  `create index delivery_heads on delivery (subscription_id, session_key, sequence) where state <> 'delivered'`,
  `create index delivery_due on delivery (subscription_id, next_attempt_at) where state = 'pending'`,
];

export const first = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
