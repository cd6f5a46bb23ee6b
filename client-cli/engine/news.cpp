#include "client-cli/engine/news.hpp"

#include <algorithm>
#include <set>

namespace interlude::engine {

namespace {

/// Arrivals stay: a process that was stopped for long still shows each of them. A change that is this old is in the
/// message itself, and of no use as news.
constexpr std::uint64_t changes_kept = 256;

Bytes news_key(std::uint64_t number) {
    return bytes::Writer().u64(0).u64(number).take();
}

void forget_old_change(Turn& turn, std::uint64_t newest) {
    if (newest <= changes_kept) return;
    auto const key = news_key(newest - changes_kept);
    auto const old = turn.rows.get<NewsRecord>(Table::news, key);
    if (old && old->changed) turn.rows.erase(Table::news, key);
}

}  // namespace

void keep_news(Turn& turn, Event const& event) {
    NewsRecord record;
    if (auto const* arrived = std::get_if<MessageArrived>(&event)) {
        record = {arrived->conversation, arrived->id, arrived->seq, std::nullopt};
    } else if (auto const* changed = std::get_if<MessageChanged>(&event)) {
        record = {changed->conversation, changed->id, 0, changed->state};
    } else {
        return;
    }
    auto counters = turn.rows.home<CountersRecord>(home::counters).value_or(CountersRecord{});
    ++counters.news;
    turn.rows.put_home(home::counters, counters);
    turn.rows.put(Table::news, news_key(counters.news), record);
    forget_old_change(turn, counters.news);
    ++turn.own_news;
}

std::uint64_t newest_news(Turn& turn) {
    auto const counters = turn.rows.home<CountersRecord>(home::counters);
    return counters ? counters->news : 0;
}

std::vector<Event> news_between(Turn& turn, std::uint64_t seen, std::uint64_t until) {
    std::vector<Event> events;
    std::set<std::pair<ConversationId, MessageId>> changed_later;
    for (auto number = until; number > seen; --number) {
        auto const news = turn.rows.get<NewsRecord>(Table::news, news_key(number));
        if (!news) continue;
        if (!news->changed)
            events.push_back(MessageArrived{news->conversation, news->seq, news->message});
        else if (changed_later.insert({news->conversation, news->message}).second)
            events.push_back(MessageChanged{news->conversation, news->message, *news->changed});
    }
    std::reverse(events.begin(), events.end());
    return events;
}

}  // namespace interlude::engine
