// The one place that reads the system's time zone data. Debian builds libdate-tz to read /usr/share/zoneinfo itself.
#define USE_OS_TZDB 1
#include <date/tz.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "common/schedule/zone.hpp"

namespace interlude::schedule {

namespace {

using std::chrono::seconds;

date::sys_seconds sys(WallTime t) {
    return date::sys_seconds{std::chrono::floor<seconds>(t.time_since_epoch())};
}

WallTime wall(date::sys_seconds t) {
    return WallTime{t.time_since_epoch()};
}

date::time_zone const* find_zone(std::string_view name) {
    auto const& zones = date::get_tzdb().zones;
    auto const found = std::find_if(zones.begin(), zones.end(), [&](auto const& zone) { return zone.name() == name; });
    return found == zones.end() ? nullptr : &*found;
}

/// Files beside the zones, and names that are no place: they carry no rules to publish hours by.
bool names_a_zone(std::string_view name) {
    static constexpr std::string_view others[] = {"Factory", "leapseconds", "localtime", "posixrules"};
    return name.find('.') == name.npos && !name.starts_with("posix/") && !name.starts_with("right/") &&
           !name.starts_with("+") && std::find(std::begin(others), std::end(others), name) == std::end(others);
}

/// Data without listed transitions ("slim") would silently mean winter time for ever.
bool lists_transitions() {
    using namespace date::literals;
    auto const* berlin = find_zone("Europe/Berlin");
    return berlin && berlin->get_info(date::sys_days{2037_y / 7 / 1}).offset == std::chrono::hours{2};
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    std::replace(out.begin(), out.end(), ' ', '_');
    return out;
}

/// Levenshtein.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            auto const replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

WallTime zone_data_end() {
    using namespace date::literals;
    return wall(date::sys_days{2037_y / 12 / 31});
}

base::Result<ZoneRules> load_zone(std::string_view name, WallTime from, WallTime until) {
    auto const* zone = names_a_zone(name) ? find_zone(name) : nullptr;
    if (!zone) return base::Errc::unknown;
    if (until > zone_data_end() || !lists_transitions()) return base::Errc::not_yet;
    auto info = zone->get_info(sys(from));
    auto const first_offset = info.offset;
    std::vector<ZoneTransition> transitions;
    while (wall(info.end) < until) {
        auto const next = zone->get_info(info.end);
        if (next.offset != info.offset) transitions.push_back({wall(info.end), next.offset});
        info = next;
    }
    return ZoneRules(std::string(name), tzdata_version(), {from, until}, first_offset, std::move(transitions));
}

std::string tzdata_version() {
    // "# version 2026a": libdate-tz looks for files that Debian does not have.
    std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
    std::string hash, word, version;
    if (file >> hash >> word >> version && hash == "#" && word == "version" && version.size() <= 16) return version;
    return "unknown";
}

std::vector<std::string> zone_names() {
    std::vector<std::string> names;
    for (auto const& zone : date::get_tzdb().zones)
        if (names_a_zone(zone.name())) names.push_back(zone.name());
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> nearest_zone_names(std::string_view name, std::size_t count) {
    auto const wanted = lower(name);
    std::vector<std::pair<std::size_t, std::string>> ranked;
    for (auto& zone : zone_names()) {
        auto const full = lower(zone);
        auto const city = full.substr(full.rfind('/') + 1);
        auto const near = std::min(2 * distance(wanted, full), 2 * distance(wanted, city) + 1);
        ranked.emplace_back(near, std::move(zone));
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<std::string> best;
    for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i) best.push_back(std::move(ranked[i].second));
    return best;
}

}  // namespace interlude::schedule
