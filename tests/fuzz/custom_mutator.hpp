// What the structure-aware mutators share with libFuzzer (clang's build only).
#pragma once

#include <algorithm>

#include "tests/fuzz/presentation_mutator.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace interlude::fuzz {

/// libFuzzer's own mutation of `from`, which may become `more` bytes longer. It writes a byte even into nothing.
inline bytes::Bytes scrambled(bytes::ByteView from, std::size_t more = 64) {
    auto out = bytes::copy(from);
    out.resize(std::max<std::size_t>(from.size() + more, 1));
    out.resize(LLVMFuzzerMutate(out.data(), from.size(), out.size()));
    return out;
}

/// LLVMFuzzerCustomMutator where the first byte chooses a parser: `mutate(choice, rest, dice)` gives another rest or
/// nullopt. One mutation in four is libFuzzer's own, which also changes the choice.
template <class Mutate>
std::size_t mutate_chosen(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed, Mutate mutate) {
    std::minstd_rand dice(seed);
    if (size == 0 || dice() % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
    std::optional<bytes::Bytes> const mutated = mutate(data[0], bytes::ByteView(data + 1, size - 1), dice);
    if (!mutated || mutated->size() >= max_size) return LLVMFuzzerMutate(data, size, max_size);
    std::copy(mutated->begin(), mutated->end(), data + 1);
    return 1 + mutated->size();
}

/// The same for bytes in MLS's presentation language, at their vectors.
template <class ChosenTakes>
std::size_t mutate_chosen_vectors(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed,
                                  ChosenTakes chosen_takes) {
    return mutate_chosen(data, size, max_size, seed, [&](unsigned choice, bytes::ByteView rest, auto& dice) {
        auto const takes = [&](bytes::ByteView input) { return chosen_takes(choice, input); };
        return mutate_vector(
            rest, takes, [](bytes::ByteView from) { return scrambled(from); }, dice);
    });
}

}  // namespace interlude::fuzz
