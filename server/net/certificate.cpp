#include "server/net/certificate.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>

#include "server/net/server.hpp"

namespace interlude::net {

namespace {

std::int64_t seconds_of(ASN1_TIME const* time) {
    std::tm when{};
    return ASN1_TIME_to_tm(time, &when) == 1 ? timegm(&when) : 0;
}

std::string day_of(std::int64_t seconds) {
    std::time_t const time = seconds;
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
    return text;
}

}  // namespace

Certificate read_certificate(std::filesystem::path const& file, std::string const& server_name) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const in(std::fopen(file.c_str(), "re"), std::fclose);
    if (!in) throw SetupError("cannot read the certificate " + file.string() + ": " + std::strerror(errno));
    std::unique_ptr<X509, void (*)(X509*)> const found(PEM_read_X509(in.get(), nullptr, nullptr, nullptr), X509_free);
    if (!found) throw SetupError("cannot use the certificate " + file.string() + ": there is none in it, in PEM");
    Certificate out;
    out.begins = seconds_of(X509_get0_notBefore(found.get()));
    out.expires = seconds_of(X509_get0_notAfter(found.get()));
    out.names_server = X509_check_ip_asc(found.get(), server_name.c_str(), 0) == 1 ||
                       X509_check_host(found.get(), server_name.data(), server_name.size(), 0, nullptr) == 1;
    return out;
}

std::optional<std::string> why_not_now(Certificate const& certificate, std::filesystem::path const& file,
                                       std::int64_t now) {
    if (now >= certificate.expires)
        return "the certificate " + file.string() + " expired on " + day_of(certificate.expires) +
               ", and apps refuse it: renew it, or name another one as tls.certificate";
    if (now < certificate.begins)
        return "the certificate " + file.string() + " is not valid before " + day_of(certificate.begins) +
               ", and apps refuse it: is this machine's clock right? If so, use the older one until then";
    return std::nullopt;
}

}  // namespace interlude::net
