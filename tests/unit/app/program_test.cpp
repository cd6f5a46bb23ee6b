// interluded as a program: what it says and how it exits when something is wrong (interfaces.md, Exit codes).
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "tests/support/scratch_folder.hpp"

namespace interlude::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Ended {
    int code = -1;
    std::string said;  // on stdout and stderr
};

Ended run_program(std::string const& command) {
    auto* const pipe = popen((command + " 2>&1").c_str(), "r");
    Ended ended;
    std::array<char, 4096> part;
    while (auto const count = fread(part.data(), 1, part.size(), pipe)) ended.said.append(part.data(), count);
    auto const status = pclose(pipe);
    if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
    return ended;
}

Ended run(std::string const& arguments) {
    return run_program(INTERLUDE_BIN_DIR "/interluded " + arguments);
}

class Program : public testing::Test {
  protected:
    std::string with(std::string const& text) {
        std::ofstream(folder / "interluded.toml") << text;
        return "--config " + (folder / "interluded.toml").string();
    }
    ScratchFolder folder;
    std::string const good =
        "server_name = \"x\"\n[tls]\ncertificate = \"no.pem\"\nkey = \"no.key\"\n"
        "[store]\nurl = \"sqlite:store.db\"\n";
};

TEST_F(Program, told_nothing_or_nonsense_says_how_it_is_used) {
    auto ended = run("");
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.said, HasSubstr("--config FILE"));
    ended = run("--confg x");
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.said, AllOf(HasSubstr("--confg"), HasSubstr("--help")));
    EXPECT_EQ(run("--config").code, 2);
}

TEST_F(Program, helps_and_tells_its_version) {
    auto ended = run("--help");
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.said, AllOf(HasSubstr("--check"), HasSubstr("limits.commits_per_hour")));
    ended = run("--version");
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.said, HasSubstr("interluded "));
}

TEST_F(Program, exits_78_at_a_configuration_that_is_wrong) {
    auto ended = run(with(good + "[limits]\nidle_second = 5\n"));
    EXPECT_EQ(ended.code, 78);
    EXPECT_THAT(ended.said, HasSubstr("limits.idle_seconds"));
    EXPECT_EQ(run("--check " + with("server_name = 5\n")).code, 78);
    EXPECT_EQ(run("--config " + (folder / "missing.toml").string()).code, 78);
}

TEST_F(Program, exits_78_without_a_certificate_and_names_it) {
    auto const ended = run(with(good));
    EXPECT_EQ(ended.code, 78);
    EXPECT_THAT(ended.said, HasSubstr("no.pem"));
    EXPECT_FALSE(std::filesystem::exists(folder / "store.db"));
}

TEST_F(Program, seals_a_store_on_request_and_says_where_it_is_missing) {
    auto ended = run("--seal-store " + with(good));
    EXPECT_EQ(ended.code, 78);
    EXPECT_THAT(ended.said, HasSubstr("there is no store"));
    EXPECT_FALSE(std::filesystem::exists(folder / "store.db"));
    ended = run("--seal-store --check " + with(good));
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.said, HasSubstr("one at a time"));
}

TEST_F(Program, checks_what_the_configuration_names_and_makes_nothing) {
    auto const ended = run("--check " + with(good));
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.said, HasSubstr("no.pem"));
    EXPECT_FALSE(std::filesystem::exists(folder / "store.db"));
    EXPECT_FALSE(std::filesystem::exists(folder / "log.key"));
}

// ---- The operator's tool -------------------------------------------------------------------------------------------

TEST_F(Program, of_the_operator_exits_69_where_no_server_is) {
    auto const ended =
        run_program(INTERLUDE_BIN_DIR "/interludectl --socket " + (folder / "none").string() + " status");
    EXPECT_EQ(ended.code, 69);
    EXPECT_THAT(ended.said, HasSubstr("Is interluded running"));
}

TEST_F(Program, of_the_operator_exits_77_where_the_socket_is_not_for_this_user) {
    auto const path = folder / "admin.socket";
    int const listening = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listening, 4), 0);
    auto const program = folder / "interludectl";  // where nobody may run it, whatever the build's folder is
    std::filesystem::copy_file(INTERLUDE_BIN_DIR "/interludectl", program);
    std::string as_nobody;
    if (geteuid() == 0) {
        as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
        std::filesystem::permissions(program.parent_path(), std::filesystem::perms::others_exec,
                                     std::filesystem::perm_options::add);
        ASSERT_EQ(run_program(as_nobody + program.string() + " --version").code, 0);
    } else {
        std::filesystem::permissions(path, std::filesystem::perms::none);
    }
    auto const ended = run_program(as_nobody + program.string() + " --socket " + path.string() + " status");
    close(listening);
    EXPECT_EQ(ended.code, 77);
    EXPECT_THAT(ended.said, HasSubstr("root"));
}

}  // namespace
}  // namespace interlude::test
