// Diagnostics as lines on stderr: `LEVEL event key=value ...`. journald adds the time.
#pragma once

#include <mutex>

#include "server/ports/diag.hpp"

namespace interlude::runtime {

class TextDiag final : public ports::Diag {
  public:
    explicit TextDiag(ports::Level least = ports::Level::info) : least_(least) {}
    void say(ports::Level level, base::LogLiteral event, std::initializer_list<Field> fields = {}) override;

  private:
    ports::Level least_;
    std::mutex mutex_;
};

}  // namespace interlude::runtime
