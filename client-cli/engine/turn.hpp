// One operation of the engine: a vault transaction, the time, randomness, and what the operation produces. Frames and
// events come out of finish() alone, after the commit: nothing leaves that is not durable.
#pragma once

#include "client-cli/engine/events.hpp"
#include "client-cli/engine/records.hpp"
#include "client-cli/engine/vault_port.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/entropy.hpp"

namespace interlude::engine {

struct Actions;

/// Typed rows. What a record's key is made of is decided here and nowhere else.
class Rows {
  public:
    explicit Rows(Vault& vault) : transaction_(vault.begin()) {}
    void commit() { transaction_->commit(); }

    template <class Record>
    std::optional<Record> get(Table table, ByteView key) {
        auto const bytes = transaction_->get(table, key);
        if (!bytes) return std::nullopt;
        return records::decode<Record>(*bytes);
    }
    template <class Record>
    void put(Table table, ByteView key, Record const& record) {
        transaction_->put(table, key, records::encode(record));
    }
    void erase(Table table, ByteView key) { transaction_->erase(table, key); }
    bool has(Table table, ByteView key) { return transaction_->get(table, key).has_value(); }

    template <class Record>
    struct Found {
        Bytes key;
        Record record;
    };
    template <class Record>
    std::vector<Found<Record>> scan(Table table, ByteView prefix = {}) {
        std::vector<Found<Record>> found;
        for (auto& row : transaction_->scan(table, prefix))
            found.push_back({std::move(row.key), records::decode<Record>(row.value)});
        return found;
    }

    /// A single row of Table::home, by name.
    template <class Record>
    std::optional<Record> home(std::string_view name) {
        return get<Record>(Table::home, bytes::view(name));
    }
    template <class Record>
    void put_home(std::string_view name, Record const& record) {
        put(Table::home, bytes::view(name), record);
    }

  private:
    std::unique_ptr<VaultTransaction> transaction_;
};

namespace home {
inline constexpr std::string_view account = "account";
inline constexpr std::string_view server = "server";
inline constexpr std::string_view join = "join";
inline constexpr std::string_view counters = "counters";
inline constexpr std::string_view crisis_card = "crisis card";
}  // namespace home

/// conversation ‖ number, subject ‖ counter, ...: big-endian, so that scans are in order.
template <class Tag, std::size_t N>
Bytes key_of(base::Id<Tag, N> const& id, std::uint64_t number) {
    return bytes::Writer().id(id).u64(number).take();
}
inline Bytes key_of(ConversationId const& conversation, AccountId const& account, MessageId const& message) {
    return bytes::Writer().id(conversation).id(account).id(message).take();
}
inline Bytes key_of(ConversationId const& conversation, RequestId const& request) {
    return bytes::Writer().id(conversation).id(request).take();
}
inline std::uint64_t number_at_end(ByteView key) {
    return *bytes::Reader(key.last(8)).u64();
}

struct Turn {
    Turn(Vault& vault, crypto::Entropy& randomness, WallTime time);
    ~Turn();

    Rows rows;
    crypto::Entropy& entropy;
    WallTime now;
    std::vector<wire::ClientFrame> frames;
    std::vector<Event> events;
    std::vector<RequestId> confirmed;  // whose final answer is in the vault with this turn: the link tells the server

    std::uint64_t own_news = 0;  // how many of the newest news are this turn's

    /// What concerns a message is kept for the other processes of the home (news.hpp).
    void tell(Event event);
    /// A frame without an answer.
    void say(wire::ClientBody body);
    void ask(RequestId const& request, wire::ClientBody body);

    /// Loud and lasting: kept with its evidence, told once.
    void alarm(std::string code, std::string text, std::optional<ConversationId> conversation = {}, Bytes first = {},
               Bytes second = {});

    // The rows that nearly everything needs; absent ones are our own bug where a caller got this far.
    AccountRecord account();
    ServerRecord server();
    /// As the server said; the default before it did.
    base::Millis hold_life();
    void save(ServerRecord const& server) { rows.put_home(home::server, server); }
    /// This clock and the server's told the same time at the last nonce. Nothing is deleted by a time that is not
    /// believed (exact.md, Life).
    bool believes_time();
    std::optional<ConversationRecord> conversation(ConversationId const& id) {
        return rows.get<ConversationRecord>(Table::conversations, id.bytes);
    }
    void save(ConversationId const& id, ConversationRecord const& record) {
        rows.put(Table::conversations, id.bytes, record);
    }

    /// Commits; the frames and events may leave.
    Actions finish();
};

}  // namespace interlude::engine
