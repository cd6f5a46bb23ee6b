// Mutates the vectors of a message, and of the commits and proposals that a malicious member signs.
#include "common/mls/group.hpp"
#include "common/mls/messages.hpp"
#include "tests/fuzz/custom_mutator.hpp"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    using namespace interlude::mls;
    return interlude::fuzz::mutate_chosen_vectors(data, size, max_size, seed, [](unsigned choice, ByteView input) {
        switch (choice % 7) {  // as in mls_group_fuzz.cpp
            case 2:
                return Group::decode(input).has_value();
            case 3:
                return decode(input, read_commit).has_value();
            case 4:
                return decode(input, read_proposal).has_value();
            case 5: {
                Reader reader(input);
                while (reader.opaque()) {
                }
                return reader.empty();
            }
            default:
                return decode(input, read_mls_message).has_value();
        }
    });
}
