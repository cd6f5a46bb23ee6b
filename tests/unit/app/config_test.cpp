// The configuration file: what a good one says, and that everything wrong with one is named with what to do.
#include "server/app/config.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/support/scratch_folder.hpp"

namespace interlude::test {
namespace {

using app::ConfigError;
using app::LimitValues;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto good = R"(server_name = "interlude.example"
[tls]
certificate = "pki/server.pem"
key = "/etc/interlude/server.key"
[store]
url = "sqlite:data/interlude.db"
)";

class ConfigFile : public testing::Test {
  protected:
    app::Config load(std::string const& text, std::vector<std::string> const& settings = {}) {
        std::ofstream(file) << text;
        return app::load_config(file, settings);
    }
    /// What is wrong with it.
    std::string why_not(std::string const& text, std::vector<std::string> const& settings = {}) {
        try {
            load(text, settings);
        } catch (ConfigError const& error) {
            return error.what();
        }
        return "nothing";
    }

    ScratchFolder folder;
    std::filesystem::path file = folder / "interluded.toml";
};

TEST_F(ConfigFile, that_names_what_it_must_is_enough) {
    auto const config = load(good);
    EXPECT_EQ(config.server_name, "interlude.example");
    EXPECT_THAT(config.listen, ElementsAre("127.0.0.1:0"));
    EXPECT_FALSE(config.tls_1_2);
}

TEST_F(ConfigFile, has_paths_from_its_own_folder) {
    auto const config = load(good);
    EXPECT_EQ(config.tls_certificate, folder / "pki/server.pem");
    EXPECT_EQ(config.tls_key, "/etc/interlude/server.key");
    EXPECT_EQ(config.store_file, folder / "data/interlude.db");
    EXPECT_EQ(config.log_key, folder / "data/log.key");
    EXPECT_EQ(config.admin_socket, folder / "data/admin.socket");
}

TEST_F(ConfigFile, that_is_missing_is_named) {
    try {
        app::load_config(folder / "nowhere.toml", {});
        FAIL();
    } catch (ConfigError const& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("nowhere.toml"), HasSubstr("no such file")));
    }
}

TEST_F(ConfigFile, with_a_typo_names_the_nearest_key) {
    EXPECT_THAT(why_not(std::string("sever_name = \"x\"\n") + good),
                AllOf(HasSubstr("sever_name"), HasSubstr("\"server_name\"")));
    EXPECT_THAT(why_not(std::string(good) + "[limits]\nidle_second = 60\n"),
                AllOf(HasSubstr("limits.idle_second"), HasSubstr("\"limits.idle_seconds\"")));
    EXPECT_THAT(why_not(std::string(good) + "[log]\nkye = \"x\"\n"), HasSubstr("\"log.key\""));
}

TEST_F(ConfigFile, with_an_unknown_section_is_refused_even_when_it_is_empty) {
    for (auto const* keys : {"", "idle_seconds = 60\n"})
        EXPECT_THAT(why_not(std::string(good) + "[limit]\n" + keys),
                    AllOf(HasSubstr("no section \"limit\""), HasSubstr("\"limits\"")));
    EXPECT_THAT(why_not(std::string(good) + "[limits.idle_seconds]\n"), HasSubstr("limits.idle_seconds"));
}

TEST_F(ConfigFile, with_a_value_of_the_wrong_type_says_which_it_must_have) {
    EXPECT_THAT(why_not(std::string("listen = \"127.0.0.1:0\"\n") + good),
                AllOf(HasSubstr("listen"), HasSubstr("a list of texts")));
    EXPECT_THAT(why_not(std::string("listen = [8443]\n") + good), HasSubstr("listen must be a text in quotes"));
    EXPECT_THAT(why_not(std::string(good) + "[limits]\nidle_seconds = \"60\"\n"),
                HasSubstr("limits.idle_seconds must be a whole number from 5 to 3600"));
    EXPECT_THAT(why_not(std::string(good) + "[limits]\nidle_seconds = 60.0\n"), HasSubstr("whole number"));
    EXPECT_THAT(why_not(std::string(good) + "[log]\nkey = \"\"\n"), HasSubstr("log.key must be a text"));
    EXPECT_THAT(why_not("server_name = 5\n"), HasSubstr("server_name must be a text"));
}

TEST_F(ConfigFile, with_a_number_out_of_range_says_the_range) {
    for (auto const* bad : {"4", "3601", "-1"})
        EXPECT_THAT(why_not(std::string(good) + "[limits]\nidle_seconds = " + bad + "\n"), HasSubstr("from 5 to 3600"));
    for (auto const number : {5, 3600})
        EXPECT_EQ(
            load(std::string(good) + "[limits]\nidle_seconds = " + std::to_string(number) + "\n").limits.idle_seconds,
            number);
}

TEST_F(ConfigFile, that_lacks_a_key_says_what_to_add) {
    for (auto const* key : {"server_name", "certificate", "key = \"/etc", "url"}) {
        std::string text = good;
        auto const at = text.find(key);
        text.erase(at, text.find('\n', at) + 1 - at);
        EXPECT_THAT(why_not(text), AllOf(HasSubstr("is missing"), HasSubstr("Add for example"))) << key;
    }
}

TEST_F(ConfigFile, that_is_no_toml_is_named_with_its_line) {
    EXPECT_THAT(why_not("server_name = \"x\"\nlisten = [\n"), HasSubstr("interluded.toml:"));
    EXPECT_THAT(why_not(std::string("server_name = \"twice\"\n") + good), HasSubstr("interluded.toml:2:"));
}

TEST_F(ConfigFile, knows_tls_and_store_by_what_they_may_be) {
    EXPECT_TRUE(load(good, {"tls.min=\"1.2\""}).tls_1_2);
    EXPECT_THAT(why_not(good, {"tls.min=\"1.1\""}), HasSubstr("\"1.2\" or \"1.3\""));
    EXPECT_THAT(why_not(good, {"store.url=\"postgres://x\""}), HasSubstr("sqlite:FILE"));
    EXPECT_THAT(why_not(good, {"store.url=\"sqlite:\""}), HasSubstr("sqlite:FILE"));
}

TEST_F(ConfigFile, refuses_what_this_version_does_not_do_rather_than_ignore_it) {
    EXPECT_THAT(why_not(std::string(good) + "[web]\nroot = \"web\"\n"),
                AllOf(HasSubstr("web.root"), HasSubstr("Remove the key")));
    EXPECT_THAT(why_not(std::string(good) + "[limits]\nlogin_failures_per_quarter_hour = 5\n"),
                HasSubstr("there is no key"));
}

TEST_F(ConfigFile, may_name_credentials_of_systemd) {
    std::string text = good;
    text.replace(text.find("/etc/interlude/server.key"), 25, "${CREDENTIALS_DIRECTORY}/tls.key");
    unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_THAT(why_not(text), AllOf(HasSubstr("tls.key"), HasSubstr("only systemd sets")));
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/interluded.service", 1);
    auto const config = load(text);
    unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_EQ(config.tls_key, "/run/credentials/interluded.service/tls.key");
    EXPECT_TRUE(config.tls_key_is_credential);
    EXPECT_FALSE(load(good).tls_key_is_credential);
}

// ---- --set ---------------------------------------------------------------------------------------------------------

TEST_F(ConfigFile, is_overruled_by_settings_the_last_of_them_first) {
    auto const config = load(good, {"limits.idle_seconds=60", "server_name=other.example", "limits.idle_seconds=61",
                                    "listen=[\"127.0.0.1:1\", \"[::1]:2\"]"});
    EXPECT_EQ(config.limits.idle_seconds, 61);
    EXPECT_EQ(config.server_name, "other.example");
    EXPECT_THAT(config.listen, ElementsAre("127.0.0.1:1", "[::1]:2"));
}

TEST_F(ConfigFile, takes_paths_in_settings_without_quotes) {
    EXPECT_EQ(load(good, {"tls.key=/run/keys/server key.pem"}).tls_key, "/run/keys/server key.pem");
}

TEST_F(ConfigFile, refuses_settings_that_are_none) {
    EXPECT_THAT(why_not(good, {"limits.idle_seconds"}), HasSubstr("write key=value"));
    EXPECT_THAT(why_not(good, {"=5"}), HasSubstr("write key=value"));
    EXPECT_THAT(why_not(good, {"limits.idle_secs=5"}), HasSubstr("\"limits.idle_seconds\""));
    EXPECT_THAT(why_not(good, {"limits.idle_seconds=soon"}), HasSubstr("whole number"));
}

// ---- Limits --------------------------------------------------------------------------------------------------------

TEST_F(ConfigFile, has_the_limits_of_the_design_by_default) {
    auto const limits = load(good).limits;
    EXPECT_EQ(limits.frame_bytes, 256 * 1024);
    EXPECT_EQ(limits.login_seconds, 10);
    EXPECT_EQ(limits.hold_life_days, 35);
    EXPECT_EQ(limits.commits_per_hour, 6);
    EXPECT_EQ(limits.key_packages_per_device, 50);
    EXPECT_EQ(limits.invitations_open, 20);
}

TEST_F(ConfigFile, takes_every_limit_at_its_default_and_help_names_it) {
    auto const help = app::describe_keys();
    std::string text = std::string(good) + "[limits]\n";
    int limits = 0;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
        auto const at = line.find("limits.");
        if (at == std::string::npos) continue;
        auto const name = line.substr(at + 7, line.find(' ', at) - at - 7);
        auto const value = line.find("default ");
        ASSERT_NE(value, std::string::npos) << line;
        text += name + " = " + line.substr(value + 8, line.find(')', value) - value - 8) + "\n";
        ++limits;
    }
    EXPECT_EQ(limits, static_cast<int>(sizeof(LimitValues) / sizeof(std::int64_t)));
    auto const config = load(text);
    EXPECT_EQ(config.limits.messages_burst, LimitValues{}.messages_burst);
    EXPECT_EQ(config.limits.undelivered_bytes, LimitValues{}.undelivered_bytes);
}

}  // namespace
}  // namespace interlude::test
