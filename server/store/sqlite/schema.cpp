#include "server/store/sqlite/schema.hpp"

#include "common/audit/entry.hpp"

namespace interlude::store_sqlite {
namespace {

// Times are milliseconds since 1970 UTC, ids and hashes are blobs. No table has a name, a text or a key of a person.
constexpr char const* schema_1 = R"sql(
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    instance BLOB NOT NULL,
    restore_count INTEGER NOT NULL,
    high_water INTEGER NOT NULL,
    log_size INTEGER NOT NULL,            -- of the newest checkpoint
    log_note TEXT NOT NULL
) STRICT;
CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Identity and invitations.
CREATE TABLE accounts (
    account BLOB PRIMARY KEY,
    side INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    undelivered_messages INTEGER NOT NULL, -- kept envelopes of others in its conversations
    undelivered_bytes INTEGER NOT NULL,
    marked_up_to INTEGER                   -- bounds of its calendar up to here have their entries; NULL: no calendar
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_gated ON accounts (account) WHERE marked_up_to IS NOT NULL;
CREATE TABLE lists (
    account BLOB, generation INTEGER, version INTEGER,
    bytes BLOB NOT NULL, signature BLOB NOT NULL, published_at INTEGER NOT NULL,
    PRIMARY KEY (account, generation, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE schedules (
    account BLOB, number INTEGER,
    bytes BLOB NOT NULL, signature BLOB NOT NULL, in_force_from INTEGER NOT NULL,
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE key_packages (
    id INTEGER PRIMARY KEY,
    ref BLOB NOT NULL UNIQUE,
    account BLOB NOT NULL, device BLOB NOT NULL,
    bytes BLOB,                            -- NULL once handed out for good
    not_after INTEGER NOT NULL,
    last_resort INTEGER NOT NULL,
    handed_out INTEGER NOT NULL            -- reserved counts
) STRICT;
CREATE INDEX key_packages_device ON key_packages (account, device, last_resort, handed_out, not_after);
CREATE INDEX key_packages_end ON key_packages (not_after);
CREATE TABLE invitations (
    invitation BLOB PRIMARY KEY,
    document BLOB NOT NULL, signature BLOB NOT NULL,
    inviter BLOB NOT NULL,                 -- zeros: the operator
    expiry INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    second_attempt INTEGER NOT NULL,
    redemption BLOB, answer_account BLOB, answer_conversation BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_inviter ON invitations (inviter, expiry);
CREATE TABLE reservations (
    invitation BLOB, account BLOB, device BLOB, ref BLOB NOT NULL,
    PRIMARY KEY (invitation, account, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_ref ON reservations (ref);
CREATE INDEX reservations_device ON reservations (account, device);

-- Conversations: who is in them, and what waits for whom.
CREATE TABLE conversations (
    conversation BLOB PRIMARY KEY,
    generation INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    epoch_began INTEGER NOT NULL,
    group_id BLOB NOT NULL,
    closed INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    fates INTEGER NOT NULL                 -- notices made
) STRICT, WITHOUT ROWID;
CREATE TABLE members (
    conversation BLOB, account BLOB, side INTEGER NOT NULL,
    PRIMARY KEY (conversation, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_account ON members (account);
CREATE TABLE places (                      -- the delivery list
    conversation BLOB, account BLOB, device BLOB,
    joined_epoch INTEGER NOT NULL,
    handshake_acked INTEGER NOT NULL,
    acked BLOB NOT NULL,                   -- core::AckedSet
    dropped INTEGER NOT NULL,              -- by its account's list; a commit removes it
    last_own_seq INTEGER NOT NULL,
    sent_since_commit INTEGER NOT NULL,
    PRIMARY KEY (conversation, account, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_account ON places (account, device);
CREATE TABLE commits (
    conversation BLOB, account BLOB, device BLOB, at INTEGER, epoch INTEGER,
    PRIMARY KEY (conversation, account, device, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX commits_at ON commits (at);
CREATE TABLE handshakes (
    id INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL, epoch INTEGER NOT NULL, -- the epoch that it ended
    generation INTEGER NOT NULL,
    sender_device BLOB NOT NULL,
    stamp INTEGER NOT NULL,
    mls BLOB NOT NULL, declaration BLOB NOT NULL,
    UNIQUE (conversation, epoch)
) STRICT;
CREATE INDEX handshakes_stamp ON handshakes (stamp);
CREATE TABLE welcomes (
    id INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL, account BLOB NOT NULL, device BLOB NOT NULL,
    generation INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sender_device BLOB NOT NULL,
    stamp INTEGER NOT NULL,
    mls BLOB NOT NULL, declaration BLOB NOT NULL,
    invitation BLOB, invitation_signature BLOB, redemption BLOB NOT NULL, redemption_signature BLOB NOT NULL,
    UNIQUE (conversation, account, device)
) STRICT;
CREATE INDEX welcomes_stamp ON welcomes (stamp);
CREATE TABLE envelopes (
    id INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL, seq INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    account BLOB NOT NULL, device BLOB NOT NULL, -- the sender's
    late_sender BLOB,
    stamp INTEGER NOT NULL,
    hash BLOB NOT NULL,
    size INTEGER NOT NULL,
    straggler INTEGER NOT NULL,            -- of the epoch before the one of its acceptance
    look_at INTEGER NOT NULL,              -- it does not expire before this
    mls BLOB NOT NULL,
    UNIQUE (conversation, seq)
) STRICT;
CREATE INDEX envelopes_look_at ON envelopes (look_at);
CREATE INDEX envelopes_straggler ON envelopes (conversation, seq) WHERE straggler;
CREATE TABLE requests (                    -- accepted request ids
    account BLOB, device BLOB, request BLOB,
    conversation BLOB NOT NULL, wish INTEGER NOT NULL, seq INTEGER NOT NULL, stamp INTEGER NOT NULL,
    envelope BLOB NOT NULL, holds BLOB NOT NULL, entry INTEGER,
    PRIMARY KEY (account, device, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_stamp ON requests (stamp);
CREATE TABLE fates (
    conversation BLOB, number INTEGER,
    author BLOB NOT NULL, device BLOB NOT NULL, -- the envelope's sender
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL, kind INTEGER NOT NULL, account BLOB,
    PRIMARY KEY (conversation, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX fates_at ON fates (at);

-- The log.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    subject BLOB NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    account BLOB, conversation BLOB,       -- what it is about
    k_tag BLOB NOT NULL,
    counter INTEGER NOT NULL, head BLOB NOT NULL,
    kept_by_all INTEGER NOT NULL DEFAULT 0, -- counter up to which a device of every party has the payloads
    forgotten INTEGER NOT NULL DEFAULT 0    -- counter up to which payloads are deleted
) STRICT;
CREATE INDEX subjects_purge ON subjects (id) WHERE kept_by_all > forgotten;
CREATE TABLE entries (
    idx INTEGER PRIMARY KEY,               -- place in the tree, from 0
    subject INTEGER NOT NULL, counter INTEGER NOT NULL,
    entry BLOB NOT NULL,
    salt BLOB, payload BLOB,               -- NULL once deleted
    type INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    veil_conversation BLOB, veil_sender BLOB, veil_late_sender BLOB, veil_stamp INTEGER,
    UNIQUE (subject, counter)
) STRICT;
CREATE INDEX entries_payload ON entries (decided_at) WHERE payload IS NOT NULL;
CREATE TABLE log_acks (
    subject INTEGER, account BLOB, device BLOB, counter INTEGER NOT NULL,
    PRIMARY KEY (subject, account, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE tiles (                       -- the widest of each place
    level INTEGER, idx INTEGER, width INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (level, idx)
) STRICT;
)sql";

// A confirmed request is forgotten a while later: a copy may still be under way.
constexpr char const* schema_2 = R"sql(
ALTER TABLE requests ADD COLUMN confirmed_at INTEGER;
CREATE INDEX requests_confirmed ON requests (confirmed_at) WHERE confirmed_at IS NOT NULL;
)sql";

// What a member has written that is still kept, so that one conversation cannot fill another's room; when a schedule
// was published, so that there cannot be too many of them in a day.
constexpr char const* schema_3 = R"sql(
ALTER TABLE members ADD COLUMN kept_messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE members SET
    kept_messages = (SELECT count(*) FROM envelopes WHERE envelopes.conversation = members.conversation
                     AND envelopes.account = members.account),
    kept_bytes = (SELECT coalesce(sum(size), 0) FROM envelopes WHERE envelopes.conversation = members.conversation
                  AND envelopes.account = members.account);
ALTER TABLE schedules ADD COLUMN published_at INTEGER NOT NULL DEFAULT 0;
)sql";

// A calendar's chain has schedules and overrides (by the number of the kind on the wire).
constexpr char const* schema_5 = R"sql(
ALTER TABLE schedules ADD COLUMN kind INTEGER NOT NULL DEFAULT 3;
)sql";

// A message may have replaced another, of this seq.
constexpr char const* schema_6 = R"sql(
ALTER TABLE requests ADD COLUMN replaced INTEGER;
)sql";

void make_store(Database& database, crypto::Entropy& entropy) {
    auto const instance = entropy.id<base::InstanceId>();
    database.run("INSERT INTO store VALUES (1, ?, 0, 0, 0, '')", instance);
    auto const k_tag = audit::SubjectKey::generate(entropy);
    database.run("INSERT INTO subjects (subject, kind, k_tag, counter, head) VALUES (?, ?, ?, 0, ?)",
                 audit::operator_subject(instance), audit::SubjectKind::operator_, k_tag.bytes.expose(),
                 base::Hash32{});
}

}  // namespace

std::uint32_t schema_of(Database& database) {
    return database.value<std::uint32_t>("PRAGMA user_version").value_or(0);
}

void migrate(Database& database, crypto::Entropy& entropy) {
    if (schema_of(database) == schema_newest) return;
    database.execute("BEGIN IMMEDIATE");
    if (schema_of(database) < 1) {
        database.execute(schema_1);
        make_store(database, entropy);
    }
    if (schema_of(database) < 2) database.execute(schema_2);
    if (schema_of(database) < 3) database.execute(schema_3);
    if (schema_of(database) < 5) database.execute(schema_5);
    if (schema_of(database) < 6) database.execute(schema_6);
    database.execute("PRAGMA application_id = " + std::to_string(application_id));
    database.execute("PRAGMA user_version = " + std::to_string(schema_newest));
    database.execute("COMMIT");
}

}  // namespace interlude::store_sqlite
