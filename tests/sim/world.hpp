// One run: a server, one or two therapists with their clients, an hour or three of accidents, sometimes a week without
// the server, then calm weather in which everything must arrive. Everything follows from the seed.
#pragma once

#include "tests/sim/person.hpp"

namespace interlude::sim {

class World {
  public:
    World(std::uint64_t seed, Story& story);
    void play();

  private:
    struct Pair {
        Person* therapist;
        Person* client;
        std::string invited_as;
    };

    Person& add(std::string name, base::Side side);
    void run_until(WallTime until);
    void run_for(Millis span) { run_until(clock_.now() + span); }
    template <class Done>
    bool run_until_done(Millis longest, Done done, std::string const& what);
    void settle();
    void start_server();
    void kill_server(Millis down_for);
    void plan_accidents(WallTime until);
    void bring_together();
    void move_in();
    bool everybody_joined();
    void quiet_week();
    void calm_down();
    void judge();
    void judge_messages(Pair const& pair);

    Story& story_;
    Dice dice_;
    Clock clock_;
    Weather weather_;
    std::shared_ptr<store_memory::Disk> disk_ = std::make_shared<store_memory::Disk>();
    crypto::SeededEntropy entropy_;
    crypto::SigningKey log_key_;
    Witness witness_;
    std::unique_ptr<Server> server_;
    std::uint64_t handlers_left_ = UINT64_MAX;  // until the server is killed in the middle of its work
    Surroundings around_;
    std::vector<std::unique_ptr<Person>> people_;
    std::vector<Pair> pairs_;
};

}  // namespace interlude::sim
