// The only values that may reach diagnostics: numbers, enumerator names and per-boot pseudonyms. Never a person.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace interlude::base {

/// A literal known at compile time: cannot hold anything a person wrote.
class LogLiteral {
  public:
    consteval LogLiteral(char const* text) : text_(text) {}
    constexpr std::string_view view() const { return text_; }

  private:
    std::string_view text_;
};

class LogSafe {
  public:
    LogSafe(std::integral auto number) : text_(std::to_string(number)) {}
    LogSafe(LogLiteral literal) : text_(literal.view()) {}
    template <class E>
    requires requires(E e) {
        { name(e) } -> std::same_as<std::string_view>;
    }
    LogSafe(E e) : text_(name(e)) {}
    /// For texts of the operator's own machine (paths, config keys, errno texts), never of a peer.
    static LogSafe operator_text(std::string text) { return LogSafe(std::move(text), 0); }
    std::string_view view() const { return text_; }

  private:
    LogSafe(std::string text, int) : text_(std::move(text)) {}
    std::string text_;
};

}  // namespace interlude::base
