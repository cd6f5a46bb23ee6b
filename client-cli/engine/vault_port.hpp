// The sealed local store as the engine sees it: rows of bytes in named tables, changed in transactions that exclude
// each other across all processes of one home. What is written here is durable before commit() returns.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/bytes/bytes.hpp"

namespace interlude::engine {

using bytes::Bytes;
using bytes::ByteView;

/// Which rows live together. The numbers are in every record's associated data: they never change, new ones are added.
enum class Table : std::uint8_t {
    home = 1,            // single rows by name: account, server, settings, join
    key_packages = 2,    // KeyPackageRef -> private halves
    device_lists = 3,    // account ‖ generation ‖ version -> signed list
    calendars = 4,       // account ‖ chain ‖ number -> published document
    conversations = 5,   // conversation -> what is known of it
    groups = 6,          // conversation ‖ generation -> MLS state
    pending = 7,         // conversation ‖ request -> an own commit of the current epoch
    messages = 8,        // conversation ‖ seq -> a message in its place
    message_ids = 9,     // conversation ‖ account ‖ message id -> where it is
    envelopes = 10,      // conversation ‖ seq -> ciphertext that waits for its time, or that does not open
    outgoing = 11,       // request id -> a request that was not finally answered yet
    invitations = 12,    // invitation id -> an invitation made here
    subjects = 13,       // subject -> its key and head
    log_items = 14,      // subject ‖ counter -> entry, payload, salt, proof
    alarms = 15,         // number -> what was found wrong, kept for ever
    fences = 16,         // conversation -> rows that say what was already promised elsewhere (heads shown by others)
    early_reports = 17,  // conversation ‖ seq -> what others said of an own message without an answer
    news = 18,           // number -> what arrived or changed, for the other processes of the home
    unread = 19,         // conversation ‖ seq -> nobody looked at the message yet
    confirming = 20,     // request id -> finally answered; the next hello says so
};

struct Row {
    Bytes key;
    Bytes value;
    bool operator==(Row const&) const = default;
};

/// All or nothing: what was not committed when it ends never happened. A transaction sees its own changes. Failures of
/// the machine (disk, locks that never come) are exceptions.
class VaultTransaction {
  public:
    virtual ~VaultTransaction() = default;
    virtual std::optional<Bytes> get(Table table, ByteView key) = 0;
    virtual void put(Table table, ByteView key, ByteView value) = 0;
    virtual void erase(Table table, ByteView key) = 0;
    /// All rows whose key begins with `prefix`, ascending by key. `prefix` is empty or has at least 16 bytes, so that a
    /// vault can group rows by a MAC of their first 16 bytes.
    virtual std::vector<Row> scan(Table table, ByteView prefix) = 0;
    /// Durable when it returns. Nothing may be called afterwards.
    virtual void commit() = 0;
};

class Vault {
  public:
    virtual ~Vault() = default;
    /// Waits until no other transaction of any process is open.
    virtual std::unique_ptr<VaultTransaction> begin() = 0;
};

}  // namespace interlude::engine
