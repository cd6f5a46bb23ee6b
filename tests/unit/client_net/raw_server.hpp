// A WebSocket server of one connection that does only what a test tells it, good or bad: OpenSSL and raw frames.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <thread>

namespace interlude::test {

class RawServer {
  public:
    RawServer();
    ~RawServer();
    RawServer(RawServer const&) = delete;
    RawServer& operator=(RawServer const&) = delete;

    std::uint16_t port() const { return port_; }
    /// What the client has to trust, as a PEM file; it is for "localhost".
    std::string const& ca_file() const { return certificate_file_; }

    /// The rest is called in the server's own thread, after the upgrade.
    template <class Script>
    void play(Script script) {
        thread_ = std::thread([this, script] {
            if (accept()) script(*this);
            hang_up();
        });
    }
    /// An unmasked frame with FIN; false: the client is gone.
    bool send_frame(std::uint8_t opcode, std::string const& payload);
    /// Bytes as they are: parts of frames.
    bool send_bytes(std::string const& bytes);
    /// The opcode of the client's next frame; 0xff: it is gone.
    std::uint8_t read_frame();

  private:
    bool accept();
    void hang_up();
    bool read_exactly(void* to, std::size_t size);

    std::string certificate_file_;
    SSL_CTX* context_ = nullptr;
    SSL* tls_ = nullptr;
    int listener_ = -1;
    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

}  // namespace interlude::test
