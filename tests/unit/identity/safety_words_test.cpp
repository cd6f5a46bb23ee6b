// The four words: the same for both, other words for any other pair, and pleasant to read aloud.
#include "common/identity/safety_words.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include "tests/support/vectors.hpp"
#include "tests/unit/identity/people.hpp"

namespace interlude::identity {
namespace {

using tests::id_of;

TEST(Words, are_2048_distinct_short_lower_case_words_in_order) {
    auto const& list = words();
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
    EXPECT_EQ(std::set<std::string_view>(list.begin(), list.end()).size(), 2048u);
    for (auto word : list) {
        EXPECT_GE(word.size(), 3u) << word;
        EXPECT_LE(word.size(), 8u) << word;
        EXPECT_TRUE(std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; })) << word;
    }
}

TEST(Words, are_those_of_the_text_file) {
    std::ifstream in(std::string(INTERLUDE_SOURCE_DIR) + "/common/texts/words.en.txt");
    std::string word;
    std::size_t count = 0;
    while (std::getline(in, word)) {
        ASSERT_LT(count, words().size());
        EXPECT_EQ(words()[count++], word);
    }
    EXPECT_EQ(count, words().size());
}

TEST(Words, no_two_differ_in_one_letter_only) {
    std::set<std::string> blanked;
    for (auto word : words())
        for (std::size_t i = 0; i < word.size(); ++i) {
            std::string form(word);
            form[i] = '*';
            EXPECT_TRUE(blanked.insert(form).second) << word;
        }
}

TEST(SafetyWords, are_the_first_44_bits_of_argon2id) {
    auto const account_1 = id_of<base::AccountId>(1), account_2 = id_of<base::AccountId>(2);
    auto const conversation = id_of<base::ConversationId>(3);
    // The numbers were computed with OpenSSL's Argon2id.
    auto const expected = SafetyWords{words()[1022], words()[547], words()[1448], words()[1654]};
    EXPECT_EQ(safety_words(account_1, account_2, conversation), expected);
    EXPECT_EQ(safety_words(account_2, account_1, conversation), expected) << "both read the same words";
    EXPECT_NE(safety_words(account_1, account_2, id_of<base::ConversationId>(4)), expected);
    EXPECT_NE(safety_words(account_1, id_of<base::AccountId>(5), conversation), expected);
}

}  // namespace
}  // namespace interlude::identity
