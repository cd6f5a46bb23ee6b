// Certificates that apps would refuse: of another name, over, not yet begun, or with another key.
#include "server/net/certificate.hpp"

#include <gmock/gmock.h>

#include <ctime>
#include <fstream>

#include "server/net/server.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/net/own_certificate.hpp"

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
        write_certificate(options.certificate, key, names, from, until);
        write_key(options.key, key);
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
    write_key(options.key, other);
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
