// A conversation for tests: named people with a Group each, who talk, commit and follow what others commit.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "common/mls/group.hpp"
#include "tests/unit/mls/tree_members.hpp"

namespace interlude::mls::tests {

inline Bytes bytes_of(std::string_view text) {
    return bytes::copy(bytes::view(text));
}

/// The value, or the test fails here with the error's name.
template <class T>
T must(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << name(result.error());
        throw std::runtime_error("unexpected error");
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The name of the error, or "none".
template <class T>
std::string_view error_of(Result<T> const& result) {
    return result ? "none" : name(result.error());
}

class Conversation {
  public:
    /// The first founds the group and adds the others with one commit.
    explicit Conversation(std::vector<std::string> const& names, std::uint64_t seed = 1) : entropy_(seed) {
        groups_.emplace(names.front(), must(Group::found({bytes_of("a group"), bundle(names.front())}, entropy_)));
        if (names.size() > 1) add(names.front(), {names.begin() + 1, names.end()});
    }

    Group& of(std::string const& name) { return groups_.at(name); }
    bool is_in(std::string const& name) const { return groups_.contains(name); }
    crypto::Entropy& entropy() { return entropy_; }
    KeyPackageBundle bundle(std::string const& name) { return make_bundle(entropy_, name); }

    /// The pending commit is accepted: everybody else processes it, the committer merges, the welcomed join.
    /// What the others saw of it, by name.
    std::map<std::string, ProcessedCommit> accept(std::string const& committer, PendingCommit pending,
                                                  std::map<std::string, KeyPackageBundle> joiners = {},
                                                  Outside const& outside = {}) {
        std::map<std::string, ProcessedCommit> seen;
        for (auto& [name, group] : groups_) {
            if (name == committer) continue;
            seen.emplace(name, must(group.process(pending.commit, outside)));
        }
        for (auto& [name, processed] : seen) {
            groups_.erase(name);
            if (processed.next) groups_.emplace(name, processed.next->clone());
        }
        auto merged = std::move(of(committer)).merge(std::move(pending.next));
        groups_.erase(committer);
        groups_.emplace(committer, std::move(merged));
        for (auto& [name, bundle] : joiners) {
            groups_.emplace(name, must(Group::join({.welcome = *pending.welcome, .own = bundle, .outside = outside})));
        }
        return seen;
    }

    std::map<std::string, ProcessedCommit> commit(std::string const& committer, CommitArgs args = {}) {
        auto const outside = args.outside;
        return accept(committer, must(of(committer).commit(std::move(args), entropy_)), {}, outside);
    }

    std::map<std::string, ProcessedCommit> add(std::string const& committer, std::vector<std::string> const& names) {
        CommitArgs args;
        std::map<std::string, KeyPackageBundle> joiners;
        for (auto const& name : names) {
            auto joiner = bundle(name);
            args.adds.push_back(joiner.key_package);
            joiners.emplace(name, std::move(joiner));
        }
        return accept(committer, must(of(committer).commit(std::move(args), entropy_)), std::move(joiners));
    }

    std::map<std::string, ProcessedCommit> remove(std::string const& committer, std::string const& name) {
        CommitArgs args;
        args.removes.push_back(of(name).own_leaf());
        return commit(committer, std::move(args));
    }

    Bytes say(std::string const& name, std::string_view text) {
        return must(of(name).protect(bytes::view(text), {}, entropy_)).message;
    }
    std::string hear(std::string const& name, ByteView message) {
        return bytes::text(must(of(name).unprotect(message)).plaintext);
    }

    void expect_agreement() {
        auto const& first = groups_.begin()->second;
        for (auto const& [name, group] : groups_) {
            EXPECT_EQ(group.epoch(), first.epoch()) << name;
            EXPECT_EQ(group.roster(), first.roster()) << name;
            EXPECT_TRUE(bytes::equal(group.epoch_authenticator(), first.epoch_authenticator())) << name;
            EXPECT_TRUE(bytes::equal(group.export_secret("label", {}, 48).expose(),
                                     first.export_secret("label", {}, 48).expose()))
                << name;
            EXPECT_EQ(group.ratchet_tree(), first.ratchet_tree()) << name;
        }
    }

  private:
    crypto::SeededEntropy entropy_;
    std::map<std::string, Group> groups_;
};

inline std::vector<std::string> names_of(std::vector<Member> const& members) {
    std::vector<std::string> names;
    for (auto const& member : members) names.push_back(bytes::text(member.identity));
    return names;
}

}  // namespace interlude::mls::tests
