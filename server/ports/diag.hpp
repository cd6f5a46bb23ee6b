// Diagnostics for the operator: only LogSafe values, never a person.
#pragma once

#include <initializer_list>

#include "common/base/log_safe.hpp"

namespace interlude::ports {

enum class Level : std::uint8_t { debug = 1, info = 2, warning = 3, error = 4 };

class Diag {
  public:
    struct Field {
        base::LogLiteral key;
        base::LogSafe value;
    };
    virtual ~Diag() = default;
    virtual void say(Level level, base::LogLiteral event, std::initializer_list<Field> fields = {}) = 0;
};

/// For tests and tools.
class NoDiag final : public Diag {
  public:
    void say(Level, base::LogLiteral, std::initializer_list<Field>) override {}
};

}  // namespace interlude::ports
