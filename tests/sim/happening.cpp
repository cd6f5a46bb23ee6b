#include "tests/sim/happening.hpp"

#include <cstdio>

namespace interlude::sim {

namespace {
constexpr std::size_t lines_kept = 60;
}

std::string_view name(Happening happening) noexcept {
    switch (happening) {
        case Happening::written:
            return "written";
        case Happening::send_arrived:
            return "send arrived";
        case Happening::send_repeated:
            return "send repeated";
        case Happening::stored:
            return "stored";
        case Happening::held:
            return "held";
        case Happening::late_reply:
            return "late reply";
        case Happening::proof_given:
            return "proof given";
        case Happening::delivered_in_window:
            return "delivered in window";
        case Happening::delivered_at_opening:
            return "delivered at opening";
        case Happening::offered_again:
            return "offered again";
        case Happening::opened_reported:
            return "opened reported";
        case Happening::epoch_stale:
            return "epoch stale";
        case Happening::commit_sent:
            return "commit sent";
        case Happening::commit_lost:
            return "commit lost";
        case Happening::commit_refused:
            return "commit refused";
        case Happening::epoch_changed:
            return "epoch changed";
        case Happening::joined:
            return "joined";
        case Happening::hours_published:
            return "hours published";
        case Happening::hours_overridden:
            return "hours overridden";
        case Happening::taken_back:
            return "taken back";
        case Happening::replaced:
            return "replaced";
        case Happening::hours_refused:
            return "hours refused";
        case Happening::window_opened:
            return "window opened";
        case Happening::window_closed:
            return "window closed";
        case Happening::link_opened:
            return "link opened";
        case Happening::link_refused:
            return "link refused";
        case Happening::two_processes:
            return "two processes";
        case Happening::cut:
            return "cut";
        case Happening::frames_lost:
            return "frames lost";
        case Happening::frame_delayed:
            return "frame delayed";
        case Happening::server_killed:
            return "server killed";
        case Happening::server_killed_midway:
            return "server killed midway";
        case Happening::app_crash:
            return "app crash";
        case Happening::audited:
            return "audited";
        case Happening::count_:
            break;
    }
    return "?";
}

void Story::tell(std::string line) {
    if (verbose_) std::puts(line.c_str());
    last_.push_back(std::move(line));
    if (last_.size() > lines_kept) last_.pop_front();
}

std::uint64_t Dice::next() {  // splitmix64
    state_ += 0x9e3779b97f4a7c15ULL;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

}  // namespace interlude::sim
