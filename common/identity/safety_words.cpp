#include "common/identity/safety_words.hpp"

#include <algorithm>

#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/crypto/password.hpp"
#include "common/identity/labels.hpp"

namespace interlude::identity {

namespace {

constexpr std::array<std::string_view, word_count> word_table{
#include "words_en.inc"  // made by CMake from common/texts/words.en.txt
};
static_assert(!word_table.back().empty());

}  // namespace

std::array<std::string_view, word_count> const& words() {
    return word_table;
}

SafetyWords safety_words(base::AccountId const& one, base::AccountId const& other,
                         base::ConversationId const& conversation) {
    auto const& [lower, higher] = std::minmax(one, other);
    bytes::Writer password;
    password.id(lower).id(higher).id(conversation);
    auto const salt = crypto::labelled_hash(labels::safety_words, {});
    auto const hash = crypto::argon2id(password.bytes(), salt.span().first(16), 32);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i) bits = (bits << 8) | hash.expose()[i];
    SafetyWords out;
    for (auto& word : out) {
        word = word_table[bits >> 53];  // the next eleven bits
        bits <<= 11;
    }
    return out;
}

}  // namespace interlude::identity
