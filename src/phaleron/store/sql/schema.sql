-- The SQLite catalog, as of version 1. Text compares by its bytes.

-- Stored files. A row whose blob was lost stays for its h1: no other content may take the name.
create table files (
    path text not null,
    version text not null,
    kind text not null,
    sha256 text not null,
    size_bytes integer not null,
    origin text not null,
    h1 text not null,
    time text,            -- an .info's commit time, RFC 3339
    seen_us integer not null,
    lost integer not null default 0,
    primary key (path, version, kind)
) without rowid;

-- Complete versions.
create table versions (
    path text not null,
    version text not null,
    h1 text not null,
    mod_h1 text not null,
    time text,
    primary key (path, version)
) without rowid;

-- The index feed: at_us rises strictly with the sequence.
create table feed (
    sequence integer primary key autoincrement,
    path text not null,
    version text not null,
    at_us integer not null
);
create unique index feed_at on feed (at_us);

-- What origins last said to lists, @latest and queries.
create table answers (
    path text not null,
    kind text not null,
    query text not null,
    body blob not null,
    origin text not null,
    fetched_at real not null,
    primary key (path, kind, query)
) without rowid;

-- Versions that arrive whole and are not all there yet. Whose claim it is, a lock tells.
create table claims (
    path text not null,
    version text not null,
    kinds text not null,  -- of the files that it is for, with commas
    claimed_us integer not null,
    primary key (path, version)
) without rowid;
