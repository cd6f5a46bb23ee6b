// Four words that two people compare aloud to know that no server stands between them (exact.md, Identity).
#pragma once

#include <array>
#include <string_view>

#include "common/base/ids.hpp"

namespace interlude::identity {

inline constexpr std::size_t word_count = 2048;

/// The list of common/texts/words.en.txt, in its order.
std::array<std::string_view, word_count> const& words();

using SafetyWords = std::array<std::string_view, 4>;

/// The first 44 bits, eleven for each word, of Argon2id (version 1.3; 64 MiB, 3 passes, one lane, 32-byte tag). Its
/// password is the lower account id, the higher one and the conversation id, 80 bytes; its salt is the first 16 bytes
/// of SHA-256 of `interlude/v1 safety words` and a zero byte. Slow by intent: about a tenth of a second and 64 MiB.
SafetyWords safety_words(base::AccountId const& one, base::AccountId const& other,
                         base::ConversationId const& conversation);

}  // namespace interlude::identity
