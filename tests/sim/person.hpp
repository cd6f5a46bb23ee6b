// A person with a home, one or two processes on it, and a memory of what was typed. The processes are the production
// engine; what a program would do around it (connect again, poll, show events) is done here in virtual time.
#pragma once

#include "client-cli/engine/link_driver.hpp"
#include "tests/sim/home.hpp"
#include "tests/sim/server.hpp"

namespace interlude::sim {

/// What people live in. `server` is null while it is down.
struct Surroundings {
    Clock& clock;
    Story& story;
    Weather& weather;
    Witness& witness;
    std::unique_ptr<Server>& server;
};

class Person;

/// One process of an app: at most one link at a time, opened again whenever it ends.
class Process final : public Link::Receiver, public std::enable_shared_from_this<Process> {
  public:
    Process(Person& person, std::string who);
    ~Process() override;

    void connect();
    void poll();
    /// Polls now, and again and again: what is due because of the time alone.
    void look_around();
    void fetch_log();
    void cut();
    bool linked() const { return link_ != nullptr; }
    bool caught_up() const { return driver_ && driver_->caught_up(); }

    void on_message(Link& link, Bytes const& message) override;
    void on_end(Link& link) override;

  private:
    template <class Operation>
    void run(Operation operation);
    void carry_out(engine::Actions actions);
    void hang_up();
    void connect_later();

    Person& person_;
    std::string who_;
    engine::Engine engine_;
    std::shared_ptr<Link> link_;
    std::optional<engine::LinkDriver> driver_;
    std::set<Witness::Place> shown_;  // each process shows everything, once
};

class Person {
  public:
    struct Typed {
        ConversationId conversation;
        std::string text;
        engine::MessageId id;
        bool unwanted = false;  // its author wished it back, or it was to replace another: it may or may not have come
    };

    Person(Surroundings& around, std::string name, base::Side side, std::uint64_t seed);

    std::string const& name() const { return name_; }
    base::Side side() const { return side_; }
    bool has_account() { return engine().has_account(); }
    bool joined();
    /// Through the whole of a run, until the last phase: does something every now and then.
    void live();
    /// Does nothing for so long, and nothing runs.
    void write();  // to somebody
    void rest(Millis span);
    /// No more accidents; one process that stays.
    void calm_down();

    void join(std::string const& link);
    /// A new invitation's link, once the server has it.
    void invite(std::string const& whom);
    std::vector<engine::InvitationView> invitations();
    void publish_weekly_hours();
    bool has_hours();
    /// An extra opening.
    void open_hours(WallTime from, WallTime to);

    AccountId account();
    std::vector<engine::ConversationView> conversations();
    std::vector<engine::MessageView> messages(ConversationId const& conversation);
    std::vector<Typed> const& typed() const { return typed_; }
    /// Everything written here was answered and opened by those who should.
    bool settled() { return unsettled().empty(); }
    /// What is not so yet, for a person's eyes; empty: all is.
    std::string unsettled();
    void ask_for_log();
    std::size_t audits() const { return audits_; }

  private:
    friend class Process;
    /// A verb of the program: a process of its own, that may die in the middle.
    template <class Verb>
    bool verb(Verb verb);
    engine::Engine engine() { return {vault_, entropy_, options_}; }
    void on_event(engine::Event const& event, std::set<Witness::Place>& shown);
    void died(Process& process);
    void start_process();
    void plan_failure();
    void poll_soon();
    void act();
    void want_new_keys();
    void change_hours();
    void override_hours();
    void take_back();
    void say(std::string const& what) {
        around_.story.tell(clock_time(around_.clock.now()) + " " + name_ + ": " + what);
    }

    Surroundings& around_;
    std::string name_;
    base::Side side_;
    Dice dice_;
    crypto::SeededEntropy entropy_;
    engine::EngineOptions options_;
    Vault vault_;
    std::vector<std::shared_ptr<Process>> processes_;
    std::vector<Typed> typed_;
    std::size_t settled_ = 0;  // of these, from the first
    bool calm_ = false;
    WallTime resting_until_{};
    std::size_t audits_ = 0;
};

}  // namespace interlude::sim
