// Result<T>: a value, or the Errc that says why a peer's or user's input was refused.
#pragma once

#include <boost/system/result.hpp>

#include "common/base/check.hpp"
#include "common/base/errc.hpp"

namespace interlude::base {

template <class T, class E = Errc>
using Result = boost::system::result<T, E>;

/// What `.value()` on an error does: that is our own bug, never a peer's.
[[noreturn]] inline void throw_exception_from_error(Errc const& code, boost::source_location const&) {
    check_failed("Result::value() on an error", name(code).data(), 0);
}

}  // namespace interlude::base

#define INTERLUDE_JOIN_(a, b) a##b
#define INTERLUDE_JOIN(a, b) INTERLUDE_JOIN_(a, b)

/// `INTERLUDE_TRY(auto x, expression);` declares x from the Result, or returns its error.
#define INTERLUDE_TRY(declaration, ...)                                                 \
    auto INTERLUDE_JOIN(try_, __LINE__) = (__VA_ARGS__);                                \
    if (!INTERLUDE_JOIN(try_, __LINE__)) return INTERLUDE_JOIN(try_, __LINE__).error(); \
    declaration = std::move(*INTERLUDE_JOIN(try_, __LINE__))

/// `INTERLUDE_TRY_VOID(expression);` returns the error of a Result<void>, or goes on.
#define INTERLUDE_TRY_VOID(...)                                                   \
    do {                                                                          \
        if (auto try_void_ = (__VA_ARGS__); !try_void_) return try_void_.error(); \
    } while (false)
