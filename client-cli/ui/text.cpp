#include "client-cli/ui/text.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <limits>

#include "common/base/limits.hpp"
#include "common/bytes/text.hpp"
#include "common/schedule/week_picture.hpp"

namespace interlude::ui {

namespace {

/// Characters that change what is seen rather than being seen.
bool deceives(char32_t point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||  // C0, DEL, C1
           point == 0xad || point == 0x61c || (point >= 0x180b && point <= 0x180f) ||
           (point >= 0x200b && point <= 0x200f) ||  // zero width, direction marks
           (point >= 0x2028 && point <= 0x202e) ||  // line separators, bidi embeddings and overrides
           (point >= 0x2060 && point <= 0x206f) ||  // bidi isolates, invisible operators
           point == 0x34f || point == 0x115f || point == 0x1160 || point == 0x17b4 ||
           point == 0x17b5 ||  // drawn as nothing
           point == 0x3164 || point == 0xffa0 || point == 0x2800 || (point >= 0x1d173 && point <= 0x1d17a) ||
           point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe0fff);
}

std::string escaped(char32_t point) {
    char out[16];
    std::snprintf(out, sizeof out, "<U+%04X>", static_cast<unsigned>(point));
    return out;
}

std::string system_zone_name() {
    if (char const* tz = std::getenv("TZ"); tz && *tz) return *tz == ':' ? tz + 1 : tz;
    std::error_code error;
    auto const target = std::filesystem::read_symlink("/etc/localtime", error).string();
    auto const at = target.find("zoneinfo/");
    return at == std::string::npos ? "UTC" : target.substr(at + 9);
}

}  // namespace

std::string visible(std::string_view text, bool lines) {
    std::string out;
    while (!text.empty()) {
        char32_t point = 0;
        auto const length = bytes::utf8_front(text, point);
        if (length == 0) {
            char hex[8];
            std::snprintf(hex, sizeof hex, "<%02X>", static_cast<unsigned char>(text.front()));
            out += hex;
            text.remove_prefix(1);
            continue;
        }
        if ((point == '\n' && lines) || !deceives(point))
            out += text.substr(0, length);
        else
            out += escaped(point);
        text.remove_prefix(length);
    }
    return out;
}

std::string continued(std::string_view text, std::size_t columns) {
    constexpr std::string_view mark = "\n    | ";
    auto const room = columns >= 20 ? columns : columns == 0 ? std::numeric_limits<std::size_t>::max() : 20;
    std::string out;
    std::size_t used = 0;
    std::size_t word = 0;        // where the last word begins in `out`
    std::size_t word_width = 0;  // and how wide it is so far
    while (!text.empty()) {
        char32_t point = 0;
        auto const length = std::max<std::size_t>(bytes::utf8_front(text, point), 1);
        bool const ends = text.front() == '\n';
        std::size_t const width = length == 1 ? 1 : 2;  // a wide one at most: it wraps early rather than late
        if (ends) {
            out += mark;
            used = mark.size() - 1;
        } else {
            if (used + width > room) {
                bool const whole_word = word_width <= room / 2;
                out.insert(whole_word ? word : out.size(), mark);
                used = mark.size() - 1 + (whole_word ? word_width : 0);
            }
            out += text.substr(0, length);
            used += width;
            word_width += width;
        }
        if (ends || text.front() == ' ') {
            word = out.size();
            word_width = 0;
        }
        text.remove_prefix(length);
    }
    return out;
}

std::size_t screen_columns() {
    if (isatty(STDOUT_FILENO) == 0) return 0;
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string counted(std::uint64_t count, std::string const& one, std::string const& many) {
    return std::to_string(count) + " " + (count == 1 ? one : many.empty() ? one + "s" : many);
}

std::string date_of(std::chrono::sys_days day) {
    constexpr std::size_t date_length = 10;
    return rfc3339(base::WallTime{day.time_since_epoch()}).substr(0, date_length);
}

std::string rfc3339(base::WallTime time) {
    auto const ms = base::to_ms(time);
    std::time_t const seconds = ms / 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                  utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(ms % 1000));
    return text;
}

schedule::ZoneRules reader_zone(base::WallTime now) {
    auto const from = now - std::chrono::days{400};
    auto const until = now + std::chrono::days{800};
    if (auto zone = schedule::load_zone(system_zone_name(), from, until)) return std::move(*zone);
    if (auto zone = schedule::load_zone("UTC", from, until)) return std::move(*zone);
    return schedule::ZoneRules::utc();
}

std::string when(base::WallTime time, base::WallTime now) {
    return schedule::instant_in_words(time, reader_zone(now), now);
}

json const& texts() {
    static json const parsed = json::parse(
#include "texts_en.inc"
    );
    return parsed;
}

std::string crisis_card_text(std::optional<engine::CrisisCard> const& edited) {
    auto const& card = texts().at("crisis");
    std::string out = card.at("title").get<std::string>() + "\n\n" + card.at("intro").get<std::string>() + "\n\n";
    for (auto const& number : card.at("numbers"))
        out += "  " + number.at("call").get<std::string>() + "  " + number.at("where").get<std::string>() + ": " +
               number.at("what").get<std::string>() + "\n";
    out += "\n" + card.at("outro").get<std::string>() + "\n";
    if (edited)
        out += "\nFrom your therapist (" + rfc3339(edited->dated).substr(0, 10) + "):\n" +
               continued("    | " + visible(edited->text), screen_columns()) + "\n";
    return out + "\n(This card is of " + card.at("dated").get<std::string>() + ".)\n";
}

std::string clock_in_words(std::int64_t skew_ms) {
    base::Millis const off{skew_ms};
    base::Millis const tolerance = base::limits::clock_tolerance;
    if (off <= tolerance && off >= -tolerance) return {};
    return "your clock is " + std::to_string(std::abs(skew_ms) / 1000) + " seconds " +
           (skew_ms > 0 ? "behind" : "ahead of") +
           " the server's: please check this machine's time. What is held or open is decided by the server's";
}

void speak_utf8() {
    std::setlocale(LC_CTYPE, "");
    if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
}

base::WallTime wall_now() {
    auto const since = std::chrono::system_clock::now().time_since_epoch();
    return base::WallTime{std::chrono::duration_cast<base::Millis>(since)};
}

bool colours() {
    return !std::getenv("NO_COLOR") && isatty(STDOUT_FILENO) != 0;
}

void print_json(json const& object) {
    std::cout << object.dump(-1, ' ', false, json::error_handler_t::replace) << '\n' << std::flush;
}

}  // namespace interlude::ui
