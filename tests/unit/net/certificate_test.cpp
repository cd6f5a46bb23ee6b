// Certificates that apps would refuse: of another name, over, not yet begun, or with another key.
#include "server/net/certificate.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <fstream>

#include "server/net/server.hpp"
#include "tests/support/scratch_folder.hpp"

namespace interlude::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t day = 86'400;

class Certificates : public testing::Test {
  protected:
    Certificates() {
        options.server_name = "interlude.example";
        options.certificate = folder / "server.pem";
        options.key = folder / "server.key";
    }
    ~Certificates() override { EVP_PKEY_free(key); }

    /// Signed by its own key, for these names, valid from and until so many seconds after now.
    void make(char const* names, std::int64_t from = -day, std::int64_t until = day) {
        auto* const made = X509_new();
        X509_set_version(made, X509_VERSION_3);
        X509_gmtime_adj(X509_getm_notBefore(made), from);
        X509_gmtime_adj(X509_getm_notAfter(made), until);
        X509_set_pubkey(made, key);
        auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
        X509_add_ext(made, extension, -1);
        X509_EXTENSION_free(extension);
        X509_sign(made, key, EVP_sha256());
        auto* const out = fopen(options.certificate.c_str(), "w");
        PEM_write_X509(out, made);
        fclose(out);
        X509_free(made);
        write_key(key);
    }
    void write_key(EVP_PKEY* which) {
        auto* const out = fopen(options.key.c_str(), "w");
        PEM_write_PrivateKey(out, which, nullptr, nullptr, 0, nullptr, nullptr);
        fclose(out);
        std::filesystem::permissions(options.key, std::filesystem::perms::owner_read);
    }
    std::string why_not() {
        try {
            net::check_certificate(options);
            return "nothing";
        } catch (net::SetupError const& error) {
            return error.what();
        }
    }
    std::string why_not_at(std::int64_t moment) {
        auto const certificate = net::check_certificate(options);
        return why_not_now(certificate, options.certificate, moment).value_or("nothing");
    }

    ScratchFolder folder;
    EVP_PKEY* key = EVP_EC_gen("P-256");
    net::ServerOptions options;
    std::int64_t const now = std::time(nullptr);
};

TEST_F(Certificates, are_for_the_name_that_apps_connect_to) {
    make("DNS:interlude.example,DNS:other.example");
    EXPECT_EQ(why_not(), "nothing");
    for (auto const* names : {"DNS:other.example", "DNS:interlude.example.evil.org", "IP:127.0.0.1"}) {
        make(names);
        EXPECT_THAT(why_not(), AllOf(HasSubstr("server.pem is not for interlude.example"), HasSubstr("server_name")));
    }
    options.server_name = "chat.interlude.example";
    make("DNS:*.interlude.example");
    EXPECT_EQ(why_not(), "nothing");
    options.server_name = "127.0.0.1";
    make("IP:127.0.0.1");
    EXPECT_EQ(why_not(), "nothing");
    make("DNS:localhost");
    EXPECT_THAT(why_not(), HasSubstr("is not for 127.0.0.1"));
}

TEST_F(Certificates, are_good_from_their_first_second_to_their_last) {
    make("DNS:interlude.example");
    auto const made = net::check_certificate(options);
    EXPECT_THAT(why_not_at(made.begins - 1), HasSubstr("is not valid before"));
    EXPECT_EQ(why_not_at(made.begins), "nothing");
    EXPECT_EQ(why_not_at(now), "nothing");
    EXPECT_EQ(why_not_at(made.expires - 1), "nothing");
    EXPECT_THAT(why_not_at(made.expires), AllOf(HasSubstr("expired on 20"), HasSubstr("renew it")));
}

TEST_F(Certificates, need_their_own_key_and_need_to_be_some) {
    make("DNS:interlude.example");
    auto* const other = EVP_EC_gen("P-256");
    std::filesystem::remove(options.key);
    write_key(other);
    EVP_PKEY_free(other);
    EXPECT_THAT(why_not(), HasSubstr("belong"));
    std::ofstream(options.certificate) << "no certificate\n";
    EXPECT_THAT(why_not(), HasSubstr("server.pem"));
}

TEST_F(Certificates, that_cannot_be_looked_at_are_told_and_end_no_server_at_a_reload) {
    make("DNS:interlude.example");
    std::filesystem::remove(options.certificate);
    std::filesystem::create_symlink(options.certificate, options.certificate);
    EXPECT_THAT(why_not(), HasSubstr("cannot read"));
}

}  // namespace
}  // namespace interlude::test
