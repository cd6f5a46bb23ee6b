// The log's key: made once, never again beside a store that needs the old one.
#include "server/app/log_key.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "server/app/daemon.hpp"
#include "tests/support/scratch_folder.hpp"

namespace interlude::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LogKey : public testing::Test {
  protected:
    crypto::SigningKey load() { return app::load_or_make_log_key(key, store, entropy); }

    ScratchFolder folder;
    std::filesystem::path key = folder / "log.key";
    std::filesystem::path store = folder / "store.db";
    crypto::SystemEntropy entropy;
};

TEST_F(LogKey, is_made_at_the_first_start_and_stays) {
    auto const first = load().public_key();
    EXPECT_EQ(std::filesystem::status(key).permissions(), std::filesystem::perms(0600));
    std::ofstream(store) << "a store";
    EXPECT_EQ(load().public_key(), first);
}

TEST_F(LogKey, that_is_missing_beside_a_store_is_not_made_anew) {
    std::ofstream(store) << "a store";
    try {
        load();
        FAIL();
    } catch (app::StartError const& error) {
        EXPECT_EQ(error.exit_code, 78);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("log.key is missing"), HasSubstr("Restore the key")));
    }
    EXPECT_FALSE(std::filesystem::exists(key));
    std::filesystem::resize_file(store, 0);  // made, and nothing in it yet
    load();
}

}  // namespace
}  // namespace interlude::test
