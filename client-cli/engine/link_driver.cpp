#include "client-cli/engine/link_driver.hpp"

#include <algorithm>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/hours.hpp"
#include "client-cli/engine/joining.hpp"
#include "client-cli/engine/log_keeper.hpp"
#include "client-cli/engine/membership.hpp"
#include "client-cli/engine/news.hpp"
#include "client-cli/engine/outbox.hpp"
#include "client-cli/engine/own_commits.hpp"
#include "common/identity/login.hpp"
#include "common/wire/codec.hpp"

namespace interlude::engine {

namespace {

using namespace std::chrono_literals;

constexpr auto maintenance_interval = 60s;
constexpr auto commits_interval = 10s;  // looking for due ones looks at every group
constexpr auto quiet_moment = 300ms;
constexpr std::size_t confirmed_together = 32;  // or, when no more come, those of
constexpr auto confirmed_within = 5s;
constexpr std::chrono::seconds log_patience_max = 1min;
constexpr std::uint16_t close_normal = 1000;
constexpr std::uint16_t close_malformed = 4400;
constexpr std::uint16_t close_not_authenticated = 4401;

std::string date_of(WallTime time) {
    std::chrono::sys_days const days(std::chrono::floor<std::chrono::days>(time.time_since_epoch()));
    std::chrono::year_month_day const day(days);
    auto const two_digits = [](unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); };
    return std::to_string(static_cast<int>(day.year())) + "-" + two_digits(static_cast<unsigned>(day.month())) + "-" +
           two_digits(static_cast<unsigned>(day.day()));
}

}  // namespace

// ---- Each frame of the server, one function -------------------------------------------------------------------------

class LinkDriver::Handler {
  public:
    Handler(LinkDriver& driver, Turn& turn, RequestId const& request)
        : driver_(driver), turn_(turn), request_(request) {}

    void operator()(wire::Nonce const& nonce) {
        if (driver_.state_ != State::waiting_for_nonce) return broke_protocol("a second nonce");
        if (nonce.server_name != driver_.server_name_) {
            turn_.alarm("wrong_server",
                        "the server calls itself " + nonce.server_name + ", not " + driver_.server_name_);
            return driver_.end(turn_, close_not_authenticated, 0);
        }
        auto server = turn_.server();
        auto const skew = (nonce.time - turn_.now).count();
        server.skew_ms_biased = static_cast<std::uint64_t>(skew + ServerRecord::skew_bias);
        turn_.save(server);
        say_hello(nonce);
        driver_.state_ = State::authenticating;
    }

    void operator()(wire::Ready const& ready) {
        if (driver_.state_ != State::authenticating) return broke_protocol("ready without a login");
        if (driver_.invited_) {
            if (!pending_join(turn_)) return driver_.end(turn_, close_normal, 0);  // another process got further
            driver_.state_ = State::redeeming;
            RequestId request;
            auto body = first_invited_request(turn_, request);
            bool const redeem = std::holds_alternative<wire::Redeem>(body);
            driver_.questions_[request] = {redeem ? Asked::redeem : Asked::inviter_lists};
            turn_.ask(request, std::move(body));
            return;
        }
        driver_.state_ = State::catching_up;
        driver_.ready_time_ = ready.time;
        driver_.ready_at_ = turn_.now;
        driver_.in_flight_.allow(ready.limits.in_flight_max);
        take_log_state(turn_, ready, driver_.log_known_);
        take_states(turn_, ready.conversations);
        for (auto const& state : ready.conversations)
            if (!turn_.conversation(state.conversation)) driver_.awaited_.insert(state.conversation);
        forget_confirmed(turn_, driver_.confirmed_);
        auto const skew = (ready.time - turn_.now).count();
        turn_.tell(LinkReady{ready.time, skew});
        driver_.ask(turn_, wire::KeyPackagesPut{}, {Asked::stock});  // how many are left?
        if (turn_.account().side == Side::therapist) turn_.ask(turn_.entropy.id<RequestId>(), wire::InvitationList{});
        auto const known = log_known(turn_);
        driver_.ask(turn_, wire::CheckpointGet{known.size},
                    {.what = Asked::caught_up, .size = known.size, .met = known.met});
        driver_.do_what_is_due(turn_);
    }

    void operator()(wire::Done const&) { take_done(turn_, request_); }
    void operator()(wire::Invitations const& invitations) { take_invitations(turn_, invitations); }

    void operator()(wire::Redeemed const& redeemed) {
        if (driver_.state_ != State::redeeming) return;
        take_redeemed(turn_, redeemed);
        driver_.state_ = State::ended;
        driver_.close_ = true;
    }
    void operator()(wire::ListChanged const&) {
        if (driver_.state_ != State::redeeming) return;
        if (!pending_join(turn_)) return driver_.end(turn_, close_normal, 0);  // another process got further
        forget_founding(turn_);
        RequestId request;
        auto body = first_invited_request(turn_, request);
        driver_.questions_[request] = {Asked::inviter_lists};
        turn_.ask(request, std::move(body));
    }
    void operator()(wire::KeyPackages const& packages) {
        if (!answers(Asked::inviter_packages)) return;
        auto const waiting = pending_join(turn_);
        if (!waiting) return driver_.end(turn_, close_normal, 0);  // another process got further
        if (!waiting->redemption.empty()) return ask_to_redeem(*waiting);
        if (auto const founded = found_conversation(turn_, packages); !founded) {
            turn_.alarm("bad_key_packages", "the server gave key packages that are not the therapist's (" +
                                                std::string(base::name(founded.error())) + ")");
            return driver_.fail_join(turn_, wire::Rule::invalid);
        }
        ask_to_redeem(*pending_join(turn_));
    }
    void operator()(wire::KeyPackageStock const& stock) {
        take_done(turn_, request_);
        driver_.in_flight_.key_packages_there = stock.left > 0;
        top_up_key_packages(turn_, stock.left, driver_.engine_.options_.key_packages);
        flush(turn_, driver_.in_flight_);
    }

    void operator()(wire::Handshake const& handshake) {
        follow(handshake);
        driver_.do_what_is_due(turn_);
    }
    void operator()(wire::Accepted const& accepted) {
        if (!take_accepted(turn_, request_, accepted)) put_off_commit(turn_, driver_.in_flight_, request_);
        driver_.do_what_is_due(turn_);
    }
    void operator()(wire::Conflict const& conflict) {
        if (!take_conflict(turn_, driver_.in_flight_, request_, conflict))
            refused({wire::Rule::conflict, {}, {}, 0, {}});
        driver_.do_what_is_due(turn_);
    }
    void operator()(wire::Stored const& stored) {
        take_stored(turn_, driver_.in_flight_, request_, stored);
        driver_.do_what_is_due(turn_);  // the next text waited for it
    }
    void operator()(wire::Held const& held) { take_held(turn_, request_, held); }
    void operator()(wire::Refused const& answer) { refused(answer); }
    void operator()(wire::EpochStale const& stale) {
        if (!take_epoch_stale(turn_, driver_.in_flight_, request_, stale))
            put_off_commit(turn_, driver_.in_flight_, request_);
        driver_.do_what_is_due(turn_);
    }
    void operator()(wire::TooLate const&) { take_too_late(turn_, request_); }

    void operator()(wire::LogEntries const& entries) {
        take_log_entries(turn_, entries);
        if (!answers(Asked::log) || entries.subject != driver_.answered_->subject) return;
        auto question = *driver_.answered_;
        auto const last = entries.items.empty() ? 0 : entries.items.back().counter;
        if (last < question.from && question.from <= entries.head_counter)
            return;  // there is more, and it is not shown
        driver_.answered_.reset();
        bool const whole = last >= entries.head_counter || entries.items.empty();
        note_peers_asked(turn_, entries.subject, {question.from, whole ? std::nullopt : std::optional(last)},
                         question.sent);
        if (!whole) {
            question.from = last + 1;
            driver_.log_wanted_.push_front(question);
        } else {
            if (question.asked > WallTime{}) note_chain_fetched(turn_, entries.subject, question.asked, question.size);
            if (auto const complete = entries_complete_to(turn_, entries.subject); complete > 0)
                turn_.say(wire::LogAck{entries.subject, complete});
        }
        driver_.go_on_with_log(turn_);
    }
    void operator()(wire::Checkpoint const& checkpoint) {
        if (driver_.answered_) take_checkpoint(turn_, driver_.answered_->size, driver_.answered_->met, checkpoint);
        if (answers(Asked::caught_up)) driver_.asked_back_ = true;
        driver_.go_on_with_log(turn_);
    }

    void operator()(wire::Envelope const& envelope) { take_envelope(turn_, envelope); }
    void operator()(wire::Welcome const& welcome) {
        take_welcome(turn_, welcome);
        driver_.awaited_.erase(welcome.conversation);
    }
    void operator()(wire::Documents const& documents) {
        if (answers(Asked::inviter_lists)) return take_lists_of_inviter(documents);
        for (auto const& document : documents.documents)
            take_document(turn_, driver_.engine_.options_.load_zone, document);
        auto const deferred = std::exchange(driver_.deferred_, {});
        for (auto const& handshake : deferred) follow(handshake);
        driver_.do_what_is_due(turn_);
    }
    void operator()(wire::Fate const& fate) { take_fate(turn_, fate); }
    void operator()(wire::EpochEnd const& end) { take_epoch_end(turn_, end); }
    void operator()(wire::StateChanged const& changed) {
        take_subjects(turn_, changed.subjects, driver_.log_known_);
        take_states(turn_, changed.conversations);
    }

    void operator()(wire::Error const& error) {
        if (driver_.state_ == State::authenticating || driver_.state_ == State::waiting_for_nonce)
            return driver_.end(turn_, close_not_authenticated, error.retry_after_seconds);
        if (driver_.state_ == State::redeeming && driver_.answered_)
            return driver_.fail_join(
                turn_, error.code == wire::ErrorCode::not_allowed ? wire::Rule::not_a_member : wire::Rule::too_fast);
        if (request_.is_zero()) return cannot_be_read(error);
        if (answers(Asked::log) || answers(Asked::checkpoint)) return put_off_log(error);
        if (answers(Asked::caught_up)) driver_.asked_back_ = true;  // it looked at all that was said before
        if (take_error(turn_, driver_.in_flight_, request_, error)) return;
        take_commit_error(turn_, driver_.in_flight_, request_, error);
    }
    void operator()(wire::Goodbye const& goodbye) { driver_.end(turn_, goodbye.code, goodbye.retry_after_seconds); }

  private:
    bool answers(Asked what) const { return driver_.answered_ && driver_.answered_->what == what; }

    /// Unasked, it is about what the server should have brought by itself.
    void cannot_be_read(wire::Error const& error) {
        if (error.code != wire::ErrorCode::store) return;
        turn_.alarm("store_cannot_read", "on " + date_of(turn_.now) +
                                             " the server could not read some of what waited for you: ask whoever runs "
                                             "it to look at its store");
    }

    /// What the server could not say now is asked again, unless it is no question for this account.
    void put_off_log(wire::Error const& error) {
        if (!may_pass_later(error.code)) return;
        if (answers(Asked::log)) driver_.log_wanted_.push_front(*driver_.answered_);
        if (answers(Asked::checkpoint)) driver_.connect_rounds_left_ = std::max(1, driver_.connect_rounds_left_);
        driver_.answered_.reset();
        driver_.log_questions_max_ = 1;
        auto const asked = std::chrono::seconds(std::max(1u, error.retry_after_seconds));
        driver_.log_not_before_ = turn_.now + std::min(asked, log_patience_max);
    }

    void follow(wire::Handshake const& handshake) {
        if (driver_.unfollowed_.contains(handshake.conversation)) return;  // nor what comes after it
        switch (take_handshake(turn_, handshake)) {
            case HandshakeOutcome::taken:
                return;
            case HandshakeOutcome::needs_lists:
                driver_.deferred_.push_back(handshake);
                return;
            case HandshakeOutcome::not_authentic:
                driver_.unfollowed_.insert(handshake.conversation);
                return;
        }
    }

    void broke_protocol(std::string what) {
        turn_.alarm("server_broke_protocol", "the server sent what it may not: " + std::move(what));
        driver_.end(turn_, close_malformed, 0);
    }

    void refused(wire::Refused const& answer) {
        if (driver_.state_ == State::redeeming) return driver_.fail_join(turn_, answer.rule);
        if (answers(Asked::log)) return;
        if (take_refused(turn_, driver_.in_flight_, request_, answer)) return;
        take_commit_refused(turn_, driver_.in_flight_, request_, answer);
    }

    void ask_to_redeem(JoinRecord const& join) {
        driver_.questions_[join.request] = {Asked::redeem};
        turn_.ask(join.request, redeem_body(join));
    }

    void take_lists_of_inviter(wire::Documents const& documents) {
        if (!pending_join(turn_)) return driver_.end(turn_, close_normal, 0);  // another process got further
        if (auto const taken = take_inviter_lists(turn_, documents); !taken) {
            turn_.alarm("bad_list", "the server gave a device list that is not the invitation's (" +
                                        std::string(base::name(taken.error())) + ")");
            return driver_.fail_join(turn_, wire::Rule::invalid);
        }
        auto const inviter = link_of(*pending_join(turn_)).fragment.inviter;
        driver_.ask(turn_, wire::KeyPackagesFetch{inviter}, {Asked::inviter_packages});
    }

    void say_hello(wire::Nonce const& nonce) {
        wire::Hello hello;
        auto const account = turn_.account();
        auto const join = pending_join(turn_);
        std::optional<crypto::SigningKey> invitation_key;
        driver_.invited_ = join.has_value();
        if (join) {
            invitation_key = identity::invitation_key(link_of(*join).fragment.seed.expose());
            hello.who = identity::invitation_id(invitation_key->public_key());
        } else {
            hello.who = wire::DeviceLogin{account.account, account.device};
            driver_.log_known_ = log_known(turn_);
            hello.log_size_seen = driver_.log_known_.size;
            hello.confirmed = driver_.confirmed_ = confirmed_ids(turn_);
        }
        wire::ClientFrame frame{turn_.entropy.id<RequestId>(), std::move(hello)};
        auto const encoded = wire::encode(frame);
        identity::LinkFacts const link{driver_.server_name_, nonce.nonce, encoded};
        auto const signature = invitation_key
                                   ? identity::sign_invited_login(*invitation_key, link)
                                   : identity::sign_login(device_key(account), link, account.account, account.device);
        turn_.frames.push_back(std::move(frame));
        turn_.ask(turn_.entropy.id<RequestId>(), wire::Authenticate{bytes::copy(signature.bytes)});
    }

    LinkDriver& driver_;
    Turn& turn_;
    RequestId const& request_;
};

// ---- LinkDriver ----------------------------------------------------------------------------------------------------

LinkDriver::LinkDriver(Engine& engine, std::string server_name)
    : engine_(engine), server_name_(std::move(server_name)) {
    engine_.follow();
}

/// Nobody waits for it, and what the link's end leaves unsaid the next hello says.
bool LinkDriver::must_confirm(WallTime now) const {
    if (to_confirm_.empty()) return false;
    return to_confirm_.size() >= confirmed_together || now >= confirms_since_ + confirmed_within;
}

/// What other processes took meanwhile came before what this turn did.
Actions LinkDriver::finish(Turn& turn) {
    if (must_confirm(turn.now)) turn.say(wire::Confirm{std::exchange(to_confirm_, {})});
    auto const newest = newest_news(turn);
    auto others = news_between(turn, *engine_.news_seen_, newest - turn.own_news);
    auto actions = turn.finish();
    if (to_confirm_.empty()) confirms_since_ = turn.now;
    std::move(turn.confirmed.begin(), turn.confirmed.end(), std::back_inserter(to_confirm_));
    engine_.news_seen_ = newest;
    actions.events.insert(actions.events.begin(), others.begin(), others.end());
    actions.close = close_;
    return actions;
}

Actions LinkDriver::look(WallTime now) {
    Turn turn(engine_.vault_, engine_.entropy_, now);
    auto const newest = newest_news(turn);
    Actions actions;
    actions.events = news_between(turn, *engine_.news_seen_, newest);
    engine_.news_seen_ = newest;
    return actions;
}

Actions LinkDriver::on_message(ByteView message, WallTime now) {
    auto const frame = wire::decode_server_frame(message);
    if (frame) return on_frame(*frame, now);
    if (state_ == State::ended || frame.error() == base::Errc::unsupported) return {};  // a later server's frame
    Turn turn(engine_.vault_, engine_.entropy_, now);
    turn.alarm("server_broke_protocol", "the server sent bytes that are no frame", std::nullopt, bytes::copy(message));
    end(turn, close_malformed, 0);
    return finish(turn);
}

bool LinkDriver::waited_for_this_link(wire::ServerFrame const& frame) const {
    if (!ready()) return true;
    if (!frame.request.is_zero()) return false;
    if (auto const* envelope = std::get_if<wire::Envelope>(&frame.body)) return envelope->stamp < ready_time_;
    if (auto const* handshake = std::get_if<wire::Handshake>(&frame.body)) return handshake->stamp < ready_time_;
    return true;
}

Actions LinkDriver::on_frame(wire::ServerFrame const& frame, WallTime now) {
    if (state_ == State::ended) return {};
    Turn turn(engine_.vault_, engine_.entropy_, now);
    if (waited_for_this_link(frame)) last_came_ = now;
    answered_.reset();
    auto const* stored = std::get_if<wire::Stored>(&frame.body);
    if (!stored || stored->holds.empty()) in_flight_.answered(frame.request);  // else `held` follows
    if (auto const question = questions_.find(frame.request); question != questions_.end()) {
        answered_ = question->second;
        questions_.erase(question);
    }
    std::visit(Handler(*this, turn, frame.request), frame.body);
    if (answered_ && answered_->what == Asked::log) miss_log(turn);
    return finish(turn);
}

Actions LinkDriver::poll(WallTime now) {
    if (!ready()) return look(now);
    Turn turn(engine_.vault_, engine_.entropy_, now);
    bool const all_came = asked_back_ && now >= last_came_ + quiet_moment;
    // A slow link is no missing handshake; one whose server always promises another must not wait for ever.
    open_due(turn, all_came && (caught_up() || now >= ready_at_ + patience_for_handshake), unfollowed_);
    if (state_ == State::catching_up && all_came && !is_behind(turn)) {
        state_ = State::steady;
        turn.tell(CaughtUp{});
    }
    if (now >= next_maintenance_ && caught_up()) run_maintenance(turn);
    go_on_with_log(turn);
    do_what_is_due(turn);
    return finish(turn);
}

Actions LinkDriver::fetch_log(WallTime now) {
    if (!ready()) return {};
    Turn turn(engine_.vault_, engine_.entropy_, now);
    fetching_log_ = true;
    connect_rounds_left_ = 8;
    for (auto const& [key, subject] : turn.rows.scan<SubjectRecord>(Table::subjects))
        log_wanted_.push_back({.what = Asked::log,
                               .size = subject.counter,
                               .subject = *SubjectId::from(key),
                               .asked = server_time(turn)});
    ask_for_log(turn);
    finish_log(turn);
    return finish(turn);
}

/// A few at a time: somebody with a hundred conversations asks as much as the rest is worth to the server.
void LinkDriver::ask_for_log(Turn& turn) {
    if (!ready() || turn.now < log_not_before_) return;
    auto asked = std::count_if(questions_.begin(), questions_.end(),
                               [](auto const& item) { return item.second.what == Asked::log; });
    for (; asked < log_questions_max_ && !log_wanted_.empty(); ++asked) {
        auto& next = log_wanted_.front();
        next.sent = turn.now;
        ask(turn, wire::LogGet{next.subject, next.from}, next);
        log_wanted_.pop_front();
    }
}

void LinkDriver::miss_log(Turn& turn) {
    if (answered_->asked > WallTime{}) note_chain_withheld(turn, answered_->subject);
    go_on_with_log(turn);
}

void LinkDriver::go_on_with_log(Turn& turn) {
    ask_for_log(turn);
    connect_checkpoints(turn);
    finish_log(turn);
}

bool LinkDriver::asks_log_of(SubjectId const& subject) const {
    auto const is_of = [&](Question const& question) {
        return question.what == Asked::log && question.subject == subject;
    };
    return std::any_of(log_wanted_.begin(), log_wanted_.end(), is_of) ||
           std::any_of(questions_.begin(), questions_.end(), [&](auto const& item) { return is_of(item.second); });
}

void LinkDriver::ask(Turn& turn, wire::ClientBody body, Question question) {
    auto const request = turn.entropy.id<RequestId>();
    questions_[request] = question;
    turn.ask(request, std::move(body));
}

void LinkDriver::connect_checkpoints(Turn& turn) {
    if (!ready() || connect_rounds_left_ == 0 || turn.now < log_not_before_) return;
    for (auto const& [request, question] : questions_)
        if (question.what == Asked::checkpoint || question.what == Asked::caught_up) return;  // one round at a time
    auto const sizes = sizes_to_connect(turn);
    if (sizes.empty()) {
        connect_rounds_left_ = 8;
        return;
    }
    --connect_rounds_left_;
    auto const met = log_known(turn).met;
    for (auto const size : sizes)
        ask(turn, wire::CheckpointGet{size}, {.what = Asked::checkpoint, .size = size, .met = met});
}

void LinkDriver::finish_log(Turn& turn) {
    if (!fetching_log_ || !log_wanted_.empty() || turn.now < log_not_before_) return;
    for (auto const& [request, question] : questions_)
        if (question.what == Asked::log || question.what == Asked::checkpoint) return;
    fetching_log_ = false;
    turn.tell(LogFetched{});
}

bool LinkDriver::is_behind(Turn& turn) {
    if (!awaited_.empty() || !deferred_.empty()) return true;
    for (auto const& [request, question] : questions_)
        if (question.what == Asked::stock) return true;
    for (auto const& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        auto const id = *ConversationId::from(key);
        if (conversation.broken || conversation.closed || unfollowed_.contains(id)) continue;
        auto const group = glance_at_group(turn, id, conversation.generation);
        if (group && group->epoch < conversation.server_epoch) return true;
    }
    return false;
}

void LinkDriver::run_maintenance(Turn& turn) {
    next_maintenance_ = turn.now + maintenance_interval;
    connect_rounds_left_ = std::max(connect_rounds_left_, 1);
    prune_epochs(turn);
    for (auto const& [subject, from] : check_peer_heads(turn))
        if (!asks_log_of(subject)) log_wanted_.push_back({.what = Asked::log, .subject = subject, .from = from});
    if (!in_flight_.key_packages_there) ask(turn, wire::KeyPackagesPut{}, {Asked::stock});
    renew_list_if_due(turn);
    renew_hours_if_due(turn, engine_.options_.load_zone);
}

void LinkDriver::do_what_is_due(Turn& turn) {
    if (!ready()) return;
    notice_lost_state(turn);
    if (caught_up()) report_opened(turn);
    bool const make_new = caught_up() && turn.now >= next_commits_;
    if (make_new) next_commits_ = turn.now + commits_interval;
    flush_commits(turn, in_flight_, make_new);
    flush(turn, in_flight_);
}

void LinkDriver::end(Turn& turn, std::uint16_t code, std::uint32_t retry_after_seconds) {
    state_ = State::ended;
    close_ = true;
    turn.tell(LinkEnding{code, retry_after_seconds});
}

void LinkDriver::fail_join(Turn& turn, wire::Rule rule) {
    abandon_join(turn, rule);
    turn.tell(JoinFailed{rule});
    state_ = State::ended;
    close_ = true;
}

}  // namespace interlude::engine
