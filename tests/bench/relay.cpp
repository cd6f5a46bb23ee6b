// bench-relay: the least that could do a relay's work, written to be fast, to measure Interlude against. TLS 1.3,
// WebSocket, two ends of a channel; a message is kept, answered and passed on, and forgotten when the other end has it.
// Kept in memory, or in SQLite with the durability that Interlude promises: WAL, synchronous=FULL, one writer thread
// whose transactions take all that waits. It knows nobody, checks nothing, and holds nothing back for whoever is away.
#include <sqlite3.h>
#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "tests/bench/relay_frames.hpp"

namespace interlude::bench {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using bytes::Bytes;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// ---- what is kept --------------------------------------------------------------------------------------------------

using Durable = std::function<void(std::uint64_t id)>;

class Book {
  public:
    virtual ~Book() = default;
    /// `durable` is called on the links' thread once nothing can lose it.
    virtual void keep(std::uint64_t channel, Bytes message, Durable durable) = 0;
    virtual void drop(std::uint64_t id) = 0;
};

class MemoryBook final : public Book {
  public:
    void keep(std::uint64_t, Bytes message, Durable durable) override {
        kept_.emplace(++last_, std::move(message));
        durable(last_);
    }
    void drop(std::uint64_t id) override { kept_.erase(id); }

  private:
    std::unordered_map<std::uint64_t, Bytes> kept_;
    std::uint64_t last_ = 0;
};

class SqliteBook final : public Book {
  public:
    SqliteBook(asio::io_context& io, std::string const& file) : io_(io) {
        must(sqlite3_open(file.c_str(), &db_));
        must(sqlite3_exec(db_,
                          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                          "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
                          "CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, channel INTEGER, message BLOB)",
                          nullptr, nullptr, nullptr));
        insert_ = prepared("INSERT INTO messages VALUES (?, ?, ?)");
        delete_ = prepared("DELETE FROM messages WHERE id = ?");
        begin_ = prepared("BEGIN IMMEDIATE");
        commit_ = prepared("COMMIT");
        writer_ = std::thread([this] { write_loop(); });
    }
    ~SqliteBook() override {
        {
            std::lock_guard const lock(mutex_);
            stopping_ = true;
        }
        waiting_.notify_one();
        writer_.join();
    }

    void keep(std::uint64_t channel, Bytes message, Durable durable) override {
        enqueue({++last_, channel, std::move(message), std::move(durable)});
    }
    void drop(std::uint64_t id) override { enqueue({id, 0, {}, {}}); }

  private:
    struct Job {
        std::uint64_t id;
        std::uint64_t channel;
        Bytes message;
        Durable durable;  // empty: the message goes
    };

    void enqueue(Job job) {
        {
            std::lock_guard const lock(mutex_);
            queue_.push_back(std::move(job));
        }
        waiting_.notify_one();
    }

    void write_loop() {
        for (;;) {
            auto const batch = std::make_shared<std::vector<Job>>();
            {
                std::unique_lock lock(mutex_);
                waiting_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
                if (stopping_) return;
                batch->swap(queue_);
            }
            step(begin_);
            for (auto const& job : *batch) write(job);
            step(commit_);
            asio::post(io_, [batch] {
                for (auto const& job : *batch)
                    if (job.durable) job.durable(job.id);
            });
        }
    }
    void write(Job const& job) {
        auto* const statement = job.durable ? insert_ : delete_;
        must(sqlite3_bind_int64(statement, 1, static_cast<std::int64_t>(job.id)));
        if (job.durable) {
            must(sqlite3_bind_int64(statement, 2, static_cast<std::int64_t>(job.channel)));
            must(sqlite3_bind_blob64(statement, 3, job.message.data(), job.message.size(), SQLITE_STATIC));
        }
        step(statement);
    }
    void step(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) must(sqlite3_errcode(db_));
        must(sqlite3_reset(statement));
    }
    sqlite3_stmt* prepared(char const* sql) {
        sqlite3_stmt* statement = nullptr;
        must(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
        return statement;
    }
    void must(int code) {
        if (code == SQLITE_OK) return;
        std::cerr << "bench-relay: " << sqlite3_errmsg(db_) << '\n';
        std::_Exit(74);
    }

    asio::io_context& io_;
    sqlite3* db_ = nullptr;
    sqlite3_stmt *insert_ = nullptr, *delete_ = nullptr, *begin_ = nullptr, *commit_ = nullptr;
    std::uint64_t last_ = 0;
    std::mutex mutex_;
    std::condition_variable waiting_;
    std::vector<Job> queue_;
    bool stopping_ = false;
    std::thread writer_;
};

// ---- links ---------------------------------------------------------------------------------------------------------

class Relay;

class Peer final : public std::enable_shared_from_this<Peer> {
  public:
    Peer(Relay& relay, tcp::socket socket, asio::ssl::context& context)
        : relay_(relay), stream_(std::move(socket), context), wake_(stream_.get_executor()) {
        wake_.expires_at(std::chrono::steady_clock::time_point::max());
    }

    asio::awaitable<void> serve();
    void send(Bytes frame) {
        queue_.push_back(std::move(frame));
        wake_.cancel();
    }

  private:
    asio::awaitable<void> read_loop();
    static asio::awaitable<void> write_loop(std::shared_ptr<Peer> self);

    Relay& relay_;
    websocket::stream<asio::ssl::stream<tcp::socket>> stream_;
    std::deque<Bytes> queue_;
    asio::steady_timer wake_;
    std::uint64_t channel_ = 0;
    bool over_ = false;
};

class Relay {
  public:
    Relay(asio::io_context& io, Book& book, std::string const& certificate, std::string const& key)
        : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          context_(asio::ssl::context::tls_server),
          book_(book) {
        auto* const native = context_.native_handle();  // as interluded has it
        SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
        SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(native, 0);
        SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
        context_.use_certificate_chain_file(certificate);
        context_.use_private_key_file(key, asio::ssl::context::pem);
        acceptor_.listen(1024);
    }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    asio::awaitable<void> accept_loop() {
        for (;;) {
            auto [failed, socket] = co_await acceptor_.async_accept(use_tuple);
            if (failed) continue;
            boost::system::error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            auto const peer = std::make_shared<Peer>(*this, std::move(socket), context_);
            asio::co_spawn(acceptor_.get_executor(), serve(peer), asio::detached);
        }
    }

    void enter(std::uint64_t channel, std::shared_ptr<Peer> const& reader) { readers_[channel] = reader; }
    void on_message(std::shared_ptr<Peer> const& author, std::uint64_t channel, Bytes frame);
    void on_ack(std::uint64_t id) { book_.drop(id); }

  private:
    static asio::awaitable<void> serve(std::shared_ptr<Peer> peer) { co_await peer->serve(); }

    tcp::acceptor acceptor_;
    asio::ssl::context context_;
    Book& book_;
    std::unordered_map<std::uint64_t, std::weak_ptr<Peer>> readers_;
};

void Relay::on_message(std::shared_ptr<Peer> const& author, std::uint64_t channel, Bytes frame) {
    auto const number = read_relay_header(frame).number;
    auto envelope = relay_frame(RelayKind::envelope, 0, frame.size() - send_frame_extra + envelope_frame_extra);
    std::copy(frame.begin(), frame.end(), envelope.begin() + relay_header_bytes);
    auto const reader = readers_[channel];
    auto durable = [author, number, reader, envelope = std::move(envelope)](std::uint64_t id) mutable {
        author->send(relay_frame(RelayKind::stored, number, stored_frame_bytes));
        auto const there = reader.lock();
        if (!there) return;
        std::memcpy(envelope.data() + 1, &id, sizeof id);
        there->send(std::move(envelope));
    };
    book_.keep(channel, std::move(frame), std::move(durable));
}

asio::awaitable<void> Peer::serve() {
    auto const self = shared_from_this();
    auto const [unsafe] = co_await stream_.next_layer().async_handshake(asio::ssl::stream_base::server, use_tuple);
    if (unsafe) co_return;
    stream_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
        response.set(beast::http::field::sec_websocket_protocol, "interlude.v1");
    }));
    stream_.binary(true);
    stream_.auto_fragment(false);
    auto const [refused] = co_await stream_.async_accept(use_tuple);
    if (refused) co_return;
    asio::co_spawn(stream_.get_executor(), write_loop(self), asio::detached);
    co_await read_loop();
    over_ = true;
    wake_.cancel();
}

asio::awaitable<void> Peer::read_loop() {
    beast::flat_buffer buffer;
    for (;;) {
        auto const [broken, size] = co_await stream_.async_read(buffer, use_tuple);
        if (broken || size < relay_header_bytes) co_return;
        auto const* const first = static_cast<std::uint8_t const*>(buffer.cdata().data());
        Bytes frame(first, first + size);
        buffer.consume(size);
        auto const header = read_relay_header(frame);
        switch (header.kind) {
            case RelayKind::hello:
                channel_ = header.number;
                if (frame.back() == 1) relay_.enter(channel_, shared_from_this());
                break;
            case RelayKind::message:
                if (frame.size() < send_frame_extra) co_return;
                relay_.on_message(shared_from_this(), channel_, std::move(frame));
                break;
            case RelayKind::ack:
                relay_.on_ack(header.number);
                break;
            case RelayKind::stored:
            case RelayKind::envelope:
                co_return;
        }
    }
}

asio::awaitable<void> Peer::write_loop(std::shared_ptr<Peer> self) {
    while (!self->over_) {
        if (self->queue_.empty()) {
            co_await self->wake_.async_wait(use_tuple);
            continue;
        }
        auto const frame = std::move(self->queue_.front());
        self->queue_.pop_front();
        auto const [broken, size] = co_await self->stream_.async_write(asio::buffer(frame), use_tuple);
        if (broken) co_return;
    }
}

int run(std::map<std::string, std::string> const& options) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    asio::io_context io{1};
    std::unique_ptr<Book> book;
    auto const& store = options.at("--store");
    if (store == "memory")
        book = std::make_unique<MemoryBook>();
    else
        book = std::make_unique<SqliteBook>(io, store);
    Relay relay(io, *book, options.at("--certificate"), options.at("--key"));
    asio::co_spawn(io, relay.accept_loop(), asio::detached);
    std::cout << "bench-relay ready " << relay.port() << std::endl;
    io.run();
    return 0;
}

}  // namespace
}  // namespace interlude::bench

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    std::map<std::string, std::string> options;
    for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
    if (options.size() != 3 || !options.contains("--store") || !options.contains("--certificate") ||
        !options.contains("--key")) {
        std::cerr << "Usage: bench-relay --certificate FILE --key FILE --store memory|FILE\n";
        return 2;
    }
    try {
        return interlude::bench::run(options);
    } catch (std::exception const& error) {
        std::cerr << "bench-relay: " << error.what() << '\n';
        return 1;
    }
}
