// Mutates the vectors of an MLS struct and puts the lengths around them right.
#include "tests/fuzz/custom_mutator.hpp"
#include "tests/fuzz/mls_message_takes.hpp"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    return interlude::fuzz::mutate_chosen_vectors(data, size, max_size, seed, interlude::fuzz::mls_message_takes);
}
