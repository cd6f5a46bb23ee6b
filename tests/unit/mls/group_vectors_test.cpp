// The official vectors of the group side, with the number of entries of suite 0x0003 that must pass; those of 0x0001
// pass as well. And the conversations recorded from ts-mls.
#include <gtest/gtest.h>

#include "tests/support/vectors.hpp"
#include "tests/vectors/mls/group_vectors.hpp"

namespace interlude::mls_vectors {
namespace {

using Check = Outcome (*)(nlohmann::json const&);
using Reasons = std::map<std::string, int>;

struct Counted {
    int passed = 0;
    Reasons skipped;
};

Counted run(nlohmann::json const& entries, int suite, Check check) {
    Counted counted;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].at("cipher_suite") != suite) continue;
        auto const outcome = check(entries[i]);
        EXPECT_NE(outcome.status, Outcome::failed) << "entry " << i << ": " << outcome.reason;
        if (outcome.status == Outcome::passed) ++counted.passed;
        if (outcome.status == Outcome::skipped) ++counted.skipped[outcome.reason];
    }
    return counted;
}

struct File {
    char const* name;
    Check check;
    int entries_of_suite_3;
    int entries_of_suite_1;
    Reasons skipped_of_suite_3 = {};
};

class GroupVectors : public testing::TestWithParam<File> {};

TEST_P(GroupVectors, pass) {
    auto const& file = GetParam();
    INTERLUDE_VECTORS_OR_SKIP(entries, file.name);
    auto const ours = run(entries, 3, file.check);
    EXPECT_EQ(ours.passed, file.entries_of_suite_3);
    EXPECT_EQ(ours.skipped, file.skipped_of_suite_3);
    auto const mandatory = run(entries, 1, file.check);
    EXPECT_EQ(mandatory.passed, file.entries_of_suite_1);
    EXPECT_EQ(mandatory.skipped, Reasons{});
}

INSTANTIATE_TEST_SUITE_P(
    files, GroupVectors,
    testing::Values(
        File{"mls/key-schedule.json", check_key_schedule, 1, 1}, File{"mls/psk_secret.json", check_psk_secret, 11, 11},
        File{"mls/transcript-hashes.json", check_transcript_hashes, 1, 1},
        File{"mls/secret-tree.json", check_secret_tree, 3, 3},
        File{"mls/message-protection.json", check_message_protection, 1, 1},
        File{"mls/welcome.json", check_welcome, 1, 1},
        File{"mls/passive-client-welcome.json", check_passive_client, 8, 8},
        File{"mls/passive-client-handling-commit.json", check_passive_client, 13, 13},
        File{"mls/interop-passive/application.json", check_passive_client, 6, 0},
        File{"mls/interop-passive/branch.json", check_passive_client, 32, 0},
        File{"mls/interop-passive/external_join.json", check_passive_client, 6, 0},
        File{"mls/interop-passive/external_proposals.json", check_passive_client, 8, 0, {{"external_senders", 20}}},
        File{"mls/interop-passive/reinit.json", check_passive_client, 48, 0},
        File{"mls/interop-passive/welcome_join.json", check_passive_client, 8, 0},
        File{"ts-mls/passive-suite3.json", check_passive_client, 3, 0}),
    [](auto const& file) {
        std::string name = file.param.name;
        for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
        return name;
    });

TEST(GroupVectorsOfTsMls, cover_24_commits_and_33_messages) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "ts-mls/passive-suite3.json");
    std::size_t commits = 0, messages = 0;
    for (auto const& entry : entries) {
        commits += entry.at("epochs").size();
        messages += entry.at("messages").size();
    }
    EXPECT_EQ(commits, 24U);
    EXPECT_EQ(messages, 33U);
}

// A check that cannot fail proves nothing: one changed hex digit in any of these places must be noticed.
struct Lie {
    char const* file;
    Check check;
    char const* place;
};

class GroupVectorsThatLie : public testing::TestWithParam<Lie> {};

TEST_P(GroupVectorsThatLie, fail) {
    auto const& lie = GetParam();
    INTERLUDE_VECTORS_OR_SKIP(entries, lie.file);
    auto entry = entries.back();
    auto& text = entry.at(nlohmann::json::json_pointer(lie.place)).get_ref<std::string&>();
    text.back() = text.back() == '0' ? '1' : '0';
    EXPECT_EQ(lie.check(entry).status, Outcome::failed);
}

INSTANTIATE_TEST_SUITE_P(
    places, GroupVectorsThatLie,
    testing::Values(Lie{"mls/key-schedule.json", check_key_schedule, "/epochs/4/external_pub"},
                    Lie{"mls/key-schedule.json", check_key_schedule, "/epochs/0/exporter/secret"},
                    Lie{"mls/psk_secret.json", check_psk_secret, "/psks/9/psk_nonce"},
                    Lie{"mls/transcript-hashes.json", check_transcript_hashes, "/confirmation_key"},
                    Lie{"mls/secret-tree.json", check_secret_tree, "/leaves/31/1/application_nonce"},
                    Lie{"mls/message-protection.json", check_message_protection, "/application_priv"},
                    Lie{"mls/message-protection.json", check_message_protection, "/commit_pub"},
                    Lie{"mls/welcome.json", check_welcome, "/signer_pub"},
                    Lie{"mls/passive-client-welcome.json", check_passive_client, "/initial_epoch_authenticator"},
                    Lie{"mls/passive-client-handling-commit.json", check_passive_client, "/epochs/0/commit"},
                    Lie{"ts-mls/passive-suite3.json", check_passive_client, "/messages/3/message"}));

}  // namespace
}  // namespace interlude::mls_vectors
