#include "raw_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace interlude::test {

namespace {

X509* self_signed(EVP_PKEY* key) {
    auto* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    auto* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    auto* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

std::string accept_key(std::string const& request) {
    auto const label = std::string("Sec-WebSocket-Key: ");
    auto const at = request.find(label) + label.size();
    auto const text = request.substr(at, request.find('\r', at) - at) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<unsigned char const*>(text.data()), text.size(), digest.data());
    std::array<unsigned char, 64> encoded{};
    auto const size = EVP_EncodeBlock(encoded.data(), digest.data(), SHA_DIGEST_LENGTH);
    return {reinterpret_cast<char const*>(encoded.data()), static_cast<std::size_t>(size)};
}

}  // namespace

RawServer::RawServer() {
    auto* const key = EVP_EC_gen("P-256");
    auto* const certificate = self_signed(key);
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    certificate_file_ =
        (std::filesystem::temp_directory_path() / ("interlude-raw-server-" + std::to_string(getpid()) + ".pem"))
            .string();
    if (auto* const file = fopen(certificate_file_.c_str(), "w")) {
        PEM_write_X509(file, certificate);
        fclose(file);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);

    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
}

RawServer::~RawServer() {
    shutdown(listener_, SHUT_RDWR);  // a client that never came
    if (thread_.joinable()) thread_.join();
    close(listener_);
    SSL_CTX_free(context_);
    std::filesystem::remove(certificate_file_);
}

bool RawServer::accept() {
    socket_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket_ < 0) return false;
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, socket_);
    if (SSL_accept(tls_) != 1) return false;
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
        char one = 0;
        if (!read_exactly(&one, 1)) return false;
        request += one;
    }
    auto const response =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Protocol: interlude.v1\r\nSec-WebSocket-Accept: " +
        accept_key(request) + "\r\n\r\n";
    return SSL_write(tls_, response.data(), static_cast<int>(response.size())) > 0;
}

void RawServer::hang_up() {
    SSL_free(tls_);
    tls_ = nullptr;
    if (socket_ >= 0) close(socket_);
}

bool RawServer::read_exactly(void* to, std::size_t size) {
    auto* at = static_cast<char*>(to);
    while (size > 0) {
        auto const read = SSL_read(tls_, at, static_cast<int>(size));
        if (read <= 0) return false;
        at += read;
        size -= static_cast<std::size_t>(read);
    }
    return true;
}

bool RawServer::send_frame(std::uint8_t opcode, std::string const& payload) {
    EXPECT_LT(payload.size(), 126U);
    std::string frame{static_cast<char>(0x80 | opcode), static_cast<char>(payload.size())};
    frame += payload;
    return send_bytes(frame);
}

bool RawServer::send_bytes(std::string const& bytes) {
    return SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::uint8_t RawServer::read_frame() {
    std::array<std::uint8_t, 2> head{};
    if (!read_exactly(head.data(), head.size())) return 0xff;
    std::string rest((head[1] & 0x7f) + 4U, 0);  // the mask, and a payload that is short here
    if (!read_exactly(rest.data(), rest.size())) return 0xff;
    return head[0] & 0x0f;
}

}  // namespace interlude::test
