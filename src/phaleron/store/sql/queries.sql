-- name: file
-- One stored file.
select path, version, kind, sha256, size_bytes, origin, h1, time from files
where path = ? and version = ? and kind = ? and not lost;

-- name: files
-- All stored files of a module.
select path, version, kind, sha256, size_bytes, origin, h1, time from files
where path = ? and not lost order by version, kind;

-- name: known_file
-- One file, stored or lost.
select path, version, kind, sha256, size_bytes, origin, h1, time, lost from files
where path = ? and version = ? and kind = ?;

-- name: put_file
-- A file's row, new or in place of one whose blob was lost.
insert or replace into files (path, version, kind, sha256, size_bytes, origin, h1, time, seen_us)
values (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: forget
-- A file's blob is lost: the very one of this row, not one that has come in its place.
update files set lost = 1 where path = ? and version = ? and kind = ? and sha256 = ?;

-- name: drop_file
-- A file is taken out without a trace: it was part of a version that never came to be.
delete from files where path = ? and version = ? and kind = ?;

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
select distinct path from files where path > ? and not lost order by path limit ?;

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
-- Entries of the feed, oldest first. Where a time begins is looked up, so that neither bound is found by walking.
select sequence, path, version, at_us from feed
where sequence >= (select sequence from feed where at_us >= ? order by at_us limit 1) and sequence > ?
order by sequence limit ?;

-- name: page
-- Complete versions by byte order.
select path, version from versions where (path, version) > (?, ?) order by path, version limit ?;

-- name: put_claim
-- A claim, unless there is one.
insert or ignore into claims (path, version, kinds, claimed_us) values (?, ?, ?, ?);

-- name: claims
-- All claims, oldest first.
select path, version, kinds from claims order by claimed_us, path, version;

-- name: drop_claim
-- A claim is over.
delete from claims where path = ? and version = ?;
