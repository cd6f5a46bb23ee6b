// What a person types: parse_moment and parse_options.
// Parser: client-cli/ui/moments.cpp client-cli/ui/options.cpp
// Not reached: help_text, Options::value, and folders that only the environment names.
#include "client-cli/ui/moments.hpp"
#include "client-cli/ui/options.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    fuzz::Chosen const input(data, size, 2);
    if (input.choice == 0) {
        auto const now = base::wall_seconds(1'799'056'800);
        auto const utc = schedule::ZoneRules::utc();
        if (auto const moment = ui::parse_moment(std::string(input.text()), utc, now, now))
            INTERLUDE_CHECK(moment->time_since_epoch().count() % 1000 == 0);  // whole seconds
        return 0;
    }
    std::vector<std::string> words(1);  // one argument a line
    for (char const c : input.text())
        if (c == '\n')
            words.emplace_back();
        else if (c != '\0')
            words.back() += c;
    try {
        auto const options = ui::parse_options(words);
        INTERLUDE_CHECK(!options.verb.empty());
    } catch (ui::Failure const& failure) {
        INTERLUDE_CHECK(failure.what()[0] != '\0');
    }
    return 0;
}
