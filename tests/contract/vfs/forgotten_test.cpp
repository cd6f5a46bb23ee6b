// What everybody has is gone from the disk too: nobody who takes the file later finds it among what is free.
#include <algorithm>

#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

class Forgotten : public testing::Test {
  protected:
    Forgotten() {
        on.open();
        pair.meet(on.io, *on.store);
    }
    bool on_disk(Bytes const& needle) {
        auto const disk = on.vfs.disk();
        return std::any_of(disk.begin(), disk.end(), [&](auto const& file) {
            auto const& bytes = file.second.current;
            return std::search(bytes.begin(), bytes.end(), needle.begin(), needle.end()) != bytes.end();
        });
    }

    StoreOnVfs on{"forgotten"};
    Pair pair{5, noon};
};

TEST_F(Forgotten, a_message_that_was_fetched_leaves_no_bytes_behind) {
    EXPECT_TRUE(std::holds_alternative<wire::Done>(
        on.run(on.store->put_calendar(pair.hours(9, 17, noon - std::chrono::hours{1})))));
    std::vector<Bytes> needles;
    for (std::uint64_t number = 1; number <= 6; ++number) {
        auto message = pair.message(pair.client, number, noon + std::chrono::minutes{1});
        auto const secret = pair.entropy.bytes(1500 * number);  // within one page, and over several
        message.send.mls = application_message(pair.group_id, 1, secret);
        on.now = noon + std::chrono::minutes{1};
        accepted(on.run(on.store->accept(message)));
        needles.push_back(Bytes(secret.begin() + 100, secret.begin() + 140));
        needles.push_back(Bytes(secret.end() - 60, secret.end() - 20));
    }
    on.close();
    for (auto const& needle : needles) EXPECT_TRUE(on_disk(needle));  // the search finds what is there
    on.open();
    wait(on.io, on.store->ack(pair.therapist.device(), pair.conversation, {1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(on.run(on.store->counts()).envelopes, 0u);
    on.close();
    for (auto const& needle : needles) EXPECT_FALSE(on_disk(needle));
}

}  // namespace
}  // namespace interlude::test
