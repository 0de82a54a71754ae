-- name: file
-- One stored file.
select path, version, kind, sha256, size_bytes, origin, h1, time from files
where path = ? and version = ? and kind = ?;

-- name: files
-- All stored files of a module.
select path, version, kind, sha256, size_bytes, origin, h1, time from files
where path = ? order by version, kind;

-- name: put_file
-- A file's row. One that is there describes a blob that has gone: the caller has just given the name to another.
insert or replace into files (path, version, kind, sha256, size_bytes, origin, h1, time, seen_us)
values (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: has_version
-- Whether a version is complete already.
select 1 from versions where path = ? and version = ?;

-- name: put_version
-- A complete version's row.
insert into versions (path, version, h1, mod_h1, time) values (?, ?, ?, ?, ?);

-- name: last_at
-- When the newest entry of the feed was made.
select coalesce(max(at_us), 0) from feed;

-- name: put_feed
-- An entry of the feed.
insert into feed (path, version, at_us) values (?, ?, ?);

-- name: versions
-- The complete versions of a module.
select version from versions where path = ?;

-- name: modules
-- The modules of which anything is stored, a page of them.
select distinct path from files where path > ? order by path limit ?;

-- name: answer
-- What an origin last said.
select path, kind, query, body, origin, fetched_at from answers where path = ? and kind = ? and query = ?;

-- name: put_answer
-- What an origin says now.
insert or replace into answers (path, kind, query, body, origin, fetched_at) values (?, ?, ?, ?, ?, ?);

-- name: drop_answer
-- The origin has taken its word back.
delete from answers where path = ? and kind = ? and query = ?;

-- name: feed
-- Entries of the feed, oldest first.
select sequence, path, version, at_us from feed where at_us >= ? and sequence > ? order by at_us limit ?;

-- name: page
-- Complete versions by byte order.
select path, version from versions where (path, version) > (?, ?) order by path, version limit ?;
