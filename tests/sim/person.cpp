#include "tests/sim/person.hpp"

#include <algorithm>

#include "client-cli/engine/turn.hpp"

namespace interlude::sim {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t commits_between_failures = 250;
constexpr auto looks_every = 30s;  // a real one looks every second

engine::EngineOptions engine_options() {
    engine::EngineOptions options;
    options.load_zone = [](std::string_view, WallTime, WallTime) -> base::Result<schedule::ZoneRules> {
        return schedule::ZoneRules::utc();
    };
    options.key_packages = 3;
    return options;
}

}  // namespace

// ---- One process ---------------------------------------------------------------------------------------------------

Process::Process(Person& person, std::string who)
    : person_(person), who_(std::move(who)), engine_(person.vault_, person.entropy_, person.options_) {}

Process::~Process() {
    if (!link_) return;
    link_->forget_receiver();
    link_->cut();
}

template <class Operation>
void Process::run(Operation operation) {
    auto const self = shared_from_this();
    try {
        carry_out(operation());
    } catch (PowerFailure const&) {
        person_.died(*this);
    }
}

void Process::connect() {
    if (link_ || !engine_.has_account()) return connect_later();
    auto& around = person_.around_;
    if (!around.server) {
        around.story.count(Happening::link_refused);
        return connect_later();
    }
    around.story.count(Happening::link_opened);
    for (auto const& other : person_.processes_)
        if (other.get() != this && other->linked()) around.story.count(Happening::two_processes);
    driver_.emplace(engine_, std::string(server_name));
    link_ = std::make_shared<Link>(around.clock, around.story, around.weather, around.witness, *this, who_);
    around.server->accept(link_);
}

void Process::connect_later() {
    auto& around = person_.around_;
    auto const pause = around.weather.calm ? Millis{around.weather.dice.between(100, 1'000)}
                                           : Millis{around.weather.dice.between(200, 30'000)};
    around.clock.after(pause, [weak = weak_from_this()] {
        if (auto const self = weak.lock(); self && !self->link_) self->connect();
    });
}

void Process::poll() {
    if (driver_ && driver_->ready()) run([&] { return driver_->poll(person_.around_.clock.now()); });
}

void Process::look_around() {
    poll();
    person_.around_.clock.after(looks_every, [weak = weak_from_this()] {
        if (auto const self = weak.lock()) self->look_around();
    });
}

void Process::fetch_log() {
    if (caught_up()) run([&] { return driver_->fetch_log(person_.around_.clock.now()); });
}

void Process::cut() {
    if (link_) link_->cut();
}

void Process::on_message(Link&, Bytes const& message) {
    auto const weak = weak_from_this();
    auto& clock = person_.around_.clock;
    run([&] { return driver_->on_message(message, clock.now()); });  // may end this process
    // A program looks at its home again soon: what was received may have made something due.
    clock.after(350ms, [weak] {
        if (auto const self = weak.lock()) self->poll();
    });
}

void Process::on_end(Link&) {
    link_.reset();
    driver_.reset();
    connect_later();
}

void Process::carry_out(engine::Actions actions) {
    for (auto& frame : actions.frames) link_->send(std::move(frame));
    bool over = actions.close;
    for (auto const& event : actions.events) {
        over = over || std::holds_alternative<engine::Joined>(event);
        person_.on_event(event, shown_);
    }
    if (over) hang_up();
}

void Process::hang_up() {
    link_->hang_up();
    link_.reset();
    driver_.reset();
    connect_later();
}

// ---- The person ----------------------------------------------------------------------------------------------------

Person::Person(Surroundings& around, std::string name, base::Side side, std::uint64_t seed)
    : around_(around),
      name_(std::move(name)),
      side_(side),
      dice_(seed),
      entropy_(seed),
      options_(engine_options()),
      vault_(Accidents{Dice{seed + 1}}) {
    plan_failure();
    start_process();
}

void Person::plan_failure() {
    if (!calm_) vault_.fail_within(commits_between_failures);
}

void Person::start_process() {
    if (around_.clock.now() < resting_until_ || processes_.size() >= 2) return;
    processes_.push_back(std::make_shared<Process>(*this, name_));
    processes_.back()->connect();
    processes_.back()->look_around();
}

void Person::died(Process& process) {
    around_.story.count(Happening::app_crash);
    say("the app died");
    std::erase_if(processes_, [&](auto const& other) { return other.get() == &process; });
    plan_failure();
    around_.clock.after(Millis{dice_.between(500, 60'000)}, [this] { start_process(); });
}

template <class Verb>
bool Person::verb(Verb verb) {
    try {
        verb(engine());
    } catch (PowerFailure const&) {
        around_.story.count(Happening::app_crash);
        say("a command died");
        plan_failure();
        return false;
    }
    poll_soon();
    return true;
}

void Person::poll_soon() {
    for (auto const& process : processes_)
        around_.clock.after(Millis{dice_.between(0, 1'000)}, [weak = std::weak_ptr(process)] {
            if (auto const self = weak.lock()) self->poll();
        });
}

void Person::on_event(engine::Event const& event, std::set<Witness::Place>& shown) {
    if (auto const* arrived = std::get_if<engine::MessageArrived>(&event)) {
        Witness::Place const place{arrived->conversation, arrived->seq};
        auto const what = short_name(place.first.bytes) + "/" + std::to_string(place.second);
        if (!shown.insert(place).second) around_.story.fail(name_ + " was shown " + what + " twice");
        say("reads " + what);
        around_.witness.shown(account(), place);
    } else if (auto const* alarm = std::get_if<engine::Alarm>(&event)) {
        around_.story.fail(name_ + " sees an alarm of an honest server: " + alarm->code + ": " + alarm->text);
    } else if (auto const* failed = std::get_if<engine::JoinFailed>(&event)) {
        around_.story.fail(name_ + " could not join: rule " + std::to_string(static_cast<int>(failed->rule)));
    } else if (auto const* changed = std::get_if<engine::MessageChanged>(&event)) {
        if (changed->state == engine::MessageState::delivered) around_.story.count(Happening::opened_reported);
        if (changed->state == engine::MessageState::recalled) around_.story.count(Happening::taken_back);
        if (changed->state == engine::MessageState::refused) {
            auto const message = engine().message(changed->conversation, changed->id, around_.clock.now());
            if (!message || !message->too_late)
                around_.story.fail(name_ + ": a message was refused, and no rule asks for that");
        }
    } else if (std::holds_alternative<engine::LogFetched>(event)) {
        auto const report = engine().audit_verify(around_.clock.now());
        for (auto const& problem : report.problems)
            around_.story.fail(name_ + "'s audit of an honest server: " + problem.code + ": " + problem.text);
        ++audits_;
        around_.story.count(Happening::audited);
        say("audit: " + std::to_string(report.checked.entries) + " entries, " +
            std::to_string(report.checked.decisions) + " decisions");
    }
}

bool Person::joined() {
    auto app = engine();
    return app.has_account() && !app.join_pending();
}

AccountId Person::account() {
    return engine().status().account;
}

void Person::join(std::string const& link) {
    while (!verb([&](engine::Engine app) {
        auto const plan =
            app.join_begin(link, side_ == base::Side::client ? "therapy" : "", name_, around_.clock.now());
        if (!plan) around_.story.fail(name_ + " cannot begin to join: " + std::string(base::name(plan.error())));
    })) {
    }
}

void Person::invite(std::string const& whom) {
    verb([&](engine::Engine app) {
        if (!app.invite(whom, around_.clock.now())) around_.story.fail(name_ + " cannot invite");
    });
}

std::vector<engine::InvitationView> Person::invitations() {
    return engine().invitations();
}

bool Person::has_hours() {
    for (auto const& hours : engine().hours(around_.clock.now()))
        if (hours.me && hours.number > 0) return true;
    return false;
}

void Person::publish_weekly_hours() {
    constexpr std::size_t spans_a_day = 6;
    auto const first = dice_.between(9 * 60 + 30, 10 * 60 + 30);
    auto const open = dice_.between(10, 60);
    auto const closed = dice_.between(5, 90);
    std::vector<schedule::WeeklyInterval> weekly;
    for (int day = 0; day < 7; ++day)
        for (std::size_t span = 0; span < spans_a_day; ++span) {
            auto const from = first + span * (open + closed);
            weekly.push_back({static_cast<schedule::Weekday>(day), static_cast<std::uint16_t>(from),
                              static_cast<std::uint16_t>(from + open)});
        }
    verb([&](engine::Engine app) { (void)app.hours_set(weekly, "UTC", around_.clock.now()); });
}

void Person::open_hours(WallTime from, WallTime to) {
    verb([&](engine::Engine app) { (void)app.hours_open({from, to}, around_.clock.now()); });
}

std::vector<engine::ConversationView> Person::conversations() {
    return engine().conversations();
}

std::vector<engine::MessageView> Person::messages(ConversationId const& conversation) {
    return engine().messages(conversation, around_.clock.now());
}

// ---- What people do ------------------------------------------------------------------------------------------------

void Person::live() {
    if (calm_) return;
    auto const next = std::max(around_.clock.now(), resting_until_) + Millis{dice_.between(2'000, 400'000)};
    around_.clock.at(next, [this] {
        if (calm_) return;
        if (around_.clock.now() < resting_until_) return live();
        if (joined()) act();
        live();
    });
}

void Person::act() {
    auto const what = dice_.below(100);
    if (what < 60) {
        do write();
        while (dice_.one_in(3));
    } else if (what < 64) {
        take_back();
    } else if (what < 70) {
        if (!processes_.empty()) processes_[dice_.below(processes_.size())]->cut();
    } else if (what < 78) {
        if (processes_.size() < 2) {
            start_process();
        } else {
            processes_.pop_back();
        }
    } else if (what < 82) {
        say("goes away");
        processes_.clear();
        around_.clock.after(Millis{dice_.between(1'000, 900'000)}, [this] { start_process(); });
    } else if (what < 86) {
        ask_for_log();
    } else if (what < 90) {
        want_new_keys();
    } else if (side_ == base::Side::therapist) {
        change_hours();
    }
}

void Person::write() {
    auto const all = conversations();
    if (all.empty()) return;
    auto const conversation = all[dice_.below(all.size())].id;
    auto const text = name_ + " " + std::to_string(typed_.size() + 1);
    auto const kept = [&]() -> std::optional<engine::MessageId> {
        for (auto const& message : messages(conversation))
            if (message.from_me && message.text == text) return message.id;
        return std::nullopt;
    };
    around_.story.count(Happening::written);
    std::optional<engine::MessageId> id;
    while (!id) {  // who does not see it among the messages after a failure types it again
        auto const done = verb([&](engine::Engine app) {
            auto const sent = app.send(conversation, text, around_.clock.now());
            if (sent) id = *sent;
        });
        if (!done) id = kept();
        if (done && !id) return around_.story.fail(name_ + " may not write");
    }
    say("writes \"" + text + "\"");
    typed_.push_back({conversation, text, *id});
}

/// Something of one's own that is held, or never left: away with it, or other words instead.
void Person::take_back() {
    auto const all = conversations();
    if (all.empty()) return;
    auto const conversation = all[dice_.below(all.size())].id;
    std::vector<engine::MessageView> waiting;
    for (auto const& message : messages(conversation))
        if (message.from_me && (message.state == engine::MessageState::held || !message.seq))
            waiting.push_back(message);
    if (waiting.empty()) return;
    auto const& old = waiting[dice_.below(waiting.size())];
    bool const other_words = dice_.one_in(2);
    auto const text = name_ + " " + std::to_string(typed_.size() + 1) + " instead of \"" + old.text + "\"";
    std::optional<engine::MessageId> other;
    bool wished = false;
    bool const lived = verb([&](engine::Engine app) {
        if (other_words) {
            auto const done = app.replace(conversation, old.id, text, around_.clock.now());
            wished = done.has_value();
            if (done) other = *done;
        } else {
            wished = app.recall(conversation, old.id, around_.clock.now()).has_value();
        }
    });
    if (!lived) {  // whoever comes back looks what is there
        wished = true;
        for (auto const& message : messages(conversation))
            if (message.text == text) other = message.id;
    }
    if (!wished) return;
    say((other_words ? "replaces \"" : "takes back \"") + old.text + "\"");
    bool const in_its_place = other && *other == old.id;  // the draft goes behind the others
    if (in_its_place)
        std::erase_if(typed_, [&](Typed const& one) { return one.id == old.id; });
    else
        for (auto& message : typed_)
            if (message.id == old.id) message.unwanted = true;
    if (other) {
        around_.story.count(Happening::replaced);
        typed_.push_back({conversation, text, *other, !in_its_place});
    }
}

/// As after joining by a last-resort key package: more commits than a few days would bring, and more often than the
/// server takes them while a window is closed.
void Person::want_new_keys() {
    auto const all = conversations();
    if (all.empty()) return;
    auto const id = all[dice_.below(all.size())].id;
    verb([&](engine::Engine) {
        engine::Turn turn(vault_, entropy_, around_.clock.now());
        auto record = *turn.conversation(id);
        record.replace_leaf = true;
        turn.save(id, record);
        turn.rows.commit();
    });
}

void Person::change_hours() {
    auto const now = around_.clock.now();
    auto const what = dice_.below(10);
    if (what < 5) {
        auto const from = now + Millis{dice_.between(5'000, 900'000)};
        open_hours(from, from + Millis{dice_.between(10'000, 600'000)});
    } else if (what < 7) {
        auto const from = now + Millis{dice_.between(0, 1'800'000)} - 60s;
        verb([&](engine::Engine app) {
            (void)app.hours_close({from, from + Millis{dice_.between(60'000, 1'200'000)}}, now);
        });
    } else if (what < 9) {
        override_hours();
    } else {
        publish_weekly_hours();
    }
}

void Person::override_hours() {
    auto const now = around_.clock.now();
    auto const from = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::seconds{dice_.below(300)};
    base::Interval const span{from, from + std::chrono::seconds{dice_.between(10, 900)}};
    auto const kind = static_cast<schedule::OverrideKind>(dice_.between(1, 3));  // all but send_now
    verb([&](engine::Engine app) { (void)app.hours_override(kind, span, schedule::OverrideReason::other, now); });
}

void Person::ask_for_log() {
    for (auto const& process : std::vector(processes_)) {
        if (!process->caught_up()) continue;
        return process->fetch_log();
    }
}

void Person::rest(Millis span) {
    resting_until_ = around_.clock.now() + span;
    processes_.clear();
    around_.clock.at(resting_until_ + Millis{dice_.between(0, 60'000)}, [this] { start_process(); });
}

void Person::calm_down() {
    calm_ = true;
    vault_.fail_no_more();
    while (processes_.size() > 1) processes_.pop_back();
    if (processes_.empty()) start_process();
}

std::string Person::unsettled() {
    if (std::none_of(processes_.begin(), processes_.end(), [](auto const& process) { return process->caught_up(); }))
        return name_ + " has no link that is caught up";
    for (; settled_ < typed_.size(); ++settled_) {
        auto const& message = typed_[settled_];
        auto const view = engine().message(message.conversation, message.id, around_.clock.now());
        auto const what = name_ + "'s message \"" + message.text + "\" ";
        if (!view && message.unwanted) continue;
        if (!view) return what + "is gone";
        if (message.unwanted && (view->state == engine::MessageState::recalled || view->too_late)) continue;
        if (view->state != engine::MessageState::delivered)
            return what + "is " + std::string(engine::name(view->state));
        if (view->proof_missing) return what + "has no proof";
    }
    auto const waiting = engine().status().waiting;
    return waiting == 0 ? "" : name_ + " has " + std::to_string(waiting) + " requests without an answer";
}

}  // namespace interlude::sim
