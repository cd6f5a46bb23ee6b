// `audit verify`: judges what the vault holds, with the pinned key, the kept checkpoint, the signed documents and the
// own messages alone (audit.md, Apps). Every decision of the gate is made again; what should be there and is not fails.
#include <algorithm>
#include <array>
#include <map>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/engine.hpp"
#include "client-cli/engine/hours.hpp"
#include "client-cli/engine/log_keeper.hpp"
#include "client-cli/engine/outbox.hpp"
#include "common/bytes/text.hpp"
#include "common/wire/calendar_documents.hpp"

namespace interlude::engine {

namespace {

using namespace std::chrono_literals;

/// How long after an instant the server may take before its absence is told.
constexpr auto patience = 1min;
constexpr auto close_call = 2s;  // between what the clocks say here and there

/// Alarms that are about the log or the hours it speaks of; others (a refused commit) are not this verb's.
constexpr std::array log_alarms{"wrong_log_key",    "log_replaced",     "two_documents", "document_moved",
                                "compiled_differs", "recalled_unasked", "bad_document",  "stored_other",
                                "two_lists",        "bad_list",         "envelope_hash"};
bool is_log_alarm(std::string const& code) {
    for (int number = 0; number <= static_cast<int>(audit::Alarm::stale_list); ++number)
        if (code == audit::name(static_cast<audit::Alarm>(number))) return true;
    return std::find(log_alarms.begin(), log_alarms.end(), code) != log_alarms.end();
}

struct OpenedEntry {
    wire::LogItem item;
    audit::Payload payload;
};

class AuditCheck {
  public:
    AuditCheck(Turn& turn, audit::LogView const& log)
        : turn_(turn), log_(log), me_(turn.account().account), calendars_(turn) {
        for (auto& [key, record] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
            auto const id = *ConversationId::from(key);
            conversations_.emplace_back(id, std::move(record));
        }
    }

    AuditReport run(ServerRecord const& server) {
        report_.tree_size = log_.latest()->checkpoint.size;
        report_.root = log_.latest()->checkpoint.root;
        report_.checkpoint_at = server.checkpoint_at;
        report_.checked.consistency = server.consistency_checks;
        for (auto const& [key, alarm] : turn_.rows.scan<AlarmRecord>(Table::alarms))
            if (is_log_alarm(alarm.code)) problem(alarm.code, {}, alarm.text);
        for (auto const& account : therapists()) note_documents(account);
        for (auto const& [key, subject] : turn_.rows.scan<SubjectRecord>(Table::subjects))
            check_chain(*SubjectId::from(key), subject);
        for (auto const& account : therapists()) check_documents(account);
        for (auto const& [id, conversation] : conversations_) {
            if (!opened_.contains(audit::subject_of(id)))
                problem("nothing_in_log", {}, "no entry of a conversation was shown: its founding is one");
            check_messages(id, conversation);
            check_delivery(id, conversation);
        }
        if (report_.checked.entries == 0) problem("nothing_in_log", {}, "the log has nothing to show for this account");
        return std::move(report_);
    }

  private:
    void problem(std::string code, std::optional<Hash32> entry, std::string text) {
        report_.problems.push_back({std::move(code), entry ? bytes::to_hex(entry->bytes) : "", std::move(text)});
    }
    void problem(audit::Problem const& found, wire::LogItem const& item) {
        problem(std::string(audit::name(found.code)), audit::entry_hash(item.entry), found.text);
    }

    std::vector<AccountId> therapists() const {
        std::vector<AccountId> accounts;
        if (turn_.account().side == Side::therapist) accounts.push_back(me_);
        for (auto const& [id, conversation] : conversations_)
            for (auto const& member : conversation.members)
                if (member.side == Side::therapist &&
                    std::find(accounts.begin(), accounts.end(), member.account) == accounts.end())
                    accounts.push_back(member.account);
        return accounts;
    }

    ConversationId const* conversation_of(SubjectId const& subject) const {
        for (auto const& [id, conversation] : conversations_)
            if (audit::subject_of(id) == subject) return &id;
        return nullptr;
    }
    ConversationRecord const& record_of(ConversationId const& id) const {
        for (auto const& [known, conversation] : conversations_)
            if (known == id) return conversation;
        base::check_failed("a conversation of this home", __FILE__, __LINE__);
    }

    /// Where in the log the server took each document; the entries themselves are checked with their chains.
    void note_documents(AccountId const& account) {
        for (auto const& [key, item] :
             turn_.rows.scan<wire::LogItem>(Table::log_items, audit::subject_of(account).bytes)) {
            auto const payload = audit::decode_payload(item.payload);
            if (!payload) continue;
            if (auto const* schedule = std::get_if<audit::SchedulePublished>(&payload->body))
                taken_at_[{account, schedule->number}] = item.index;
            if (auto const* exception = std::get_if<audit::OverridePublished>(&payload->body))
                taken_at_[{account, exception->number}] = item.index;
        }
    }

    // ---- One chain -------------------------------------------------------------------------------------------------

    /// Nobody owes this account the chain any more.
    bool is_over(SubjectId const& subject) const {
        if (auto const* id = conversation_of(subject)) return record_of(*id).closed;
        auto const shares = [&](ConversationRecord const& conversation) {
            return !conversation.closed &&
                   std::any_of(conversation.members.begin(), conversation.members.end(),
                               [&](auto const& member) { return audit::subject_of(member.account) == subject; });
        };
        return audit::subject_of(me_) != subject &&
               std::none_of(conversations_.begin(), conversations_.end(),
                            [&](auto const& known) { return shares(known.second); });
    }

    void check_chain(SubjectId const& id, SubjectRecord const& subject) {
        if (subject.withheld && !is_over(id))
            problem("not_shown", {}, "a chain of the log was asked for, and the server did not show it");
        audit::SubjectKey const key{subject.key.clone()};
        audit::SubjectView view(key.clone());
        auto const* conversation = conversation_of(id);
        auto const decide = [&](audit::Payload const& payload) { return decide_again(payload, conversation); };
        for (auto const& [row, item] : turn_.rows.scan<wire::LogItem>(Table::log_items, id.bytes)) {
            auto const entry = presented(item);
            if (!entry) {
                problem("bad_entry", audit::entry_hash(item.entry), "its proof does not parse");
                continue;
            }
            if (item.payload.empty()) {
                if (auto next = pass_closed_entry(key, view.head(), item, *entry)) view = std::move(*next);
                continue;
            }
            deciding_at_ = item.index;
            auto outcome = view.add(log_, *entry, decide);
            report_.checked.entries += outcome.report.checked.entries;
            report_.checked.inclusion += outcome.report.checked.inclusion;
            report_.checked.decisions += outcome.report.checked.decisions;
            for (auto const& found : outcome.report.problems) problem(found, item);
            if (outcome.payload) opened_[id].push_back({item, std::move(*outcome.payload)});
        }
        // A newer head may have been shown since, to this process or to another one of the home.
        if (view.head().counter < subject.due_to)
            problem("gap", {},
                    "a chain ends at " + std::to_string(view.head().counter) + ", the server showed a head at " +
                        std::to_string(subject.due_to));
        else if (view.head().counter == subject.counter && subject.counter > 0 && view.head().entry != subject.head)
            problem("two_heads", view.head().entry, "the head of a chain is not the one that the server showed before");
    }

    /// An entry that may not be opened yet still has its place: its tag, its inclusion, its hash.
    std::optional<audit::SubjectView> pass_closed_entry(audit::SubjectKey const& key, audit::SubjectHead const& head,
                                                        wire::LogItem const& item, audit::PresentedEntry const& entry) {
        auto const hash = audit::entry_hash(item.entry);
        auto const decoded = audit::decode_entry(item.entry);
        auto const under = log_.verify(entry.proof, item.entry);
        if (!decoded || !under || !log_.knows(under->checkpoint)) {
            problem("bad_inclusion", hash, "a closed entry is not in the tree");
            return std::nullopt;
        }
        if (decoded->tag != audit::tag_of(key, item.counter)) {
            problem("bad_tag", hash, "a closed entry is of another chain");
            return std::nullopt;
        }
        if (item.counter != head.counter + 1) {
            problem("gap", hash, "entries before number " + std::to_string(item.counter) + " were not shown");
        }
        ++report_.checked.inclusion;
        return audit::SubjectView(key.clone(), {item.counter, hash, std::max(head.decided_at, decoded->minute)});
    }

    // ---- The gate, again -------------------------------------------------------------------------------------------

    std::optional<std::string> decide_again(audit::Payload const& payload, ConversationId const* conversation) {
        if (auto const* held = std::get_if<audit::Held>(&payload.body)) return decide_again(*held, conversation);
        if (std::holds_alternative<audit::Quiet>(payload.body)) return "nobody agreed to quiet delivery";
        if (std::holds_alternative<audit::Refused>(payload.body)) return "nobody agreed to refusals out of hours";
        return std::nullopt;
    }

    std::optional<std::string> decide_again(audit::GateDecision const& decision, ConversationId const* id) {
        if (!id) return "a decision in a chain that is no conversation's";
        auto const& conversation = record_of(*id);
        audit::Party const* sender = nullptr;
        bool any_held = false;
        for (auto const& party : decision.parties) {
            if (!side_of(conversation, party.account)) return "it names somebody who is not in the conversation";
            if (party.sender) sender = &party;
            any_held = any_held || party.verdict == audit::Verdict::hold;
        }
        if (!sender) return "it names no sender";
        if (!any_held) return "nothing is held by it";
        for (auto const& member : conversation.members)
            if (std::none_of(decision.parties.begin(), decision.parties.end(),
                             [&](auto const& party) { return party.account == member.account; }))
                return "it leaves out somebody of the conversation";

        schedule::GateCalendar sender_calendar = nullptr;
        if (side_of(conversation, sender->account) == Side::therapist) {
            sender_calendar = &calendar_at(sender->account, *id, decision.stamp);
            if (auto why = check_numbers(*sender, *sender_calendar, decision.stamp)) return why;
        }
        for (auto const& party : decision.parties) {
            if (party.sender) {
                if (party.verdict != audit::Verdict::pass) return "it holds a message back from its own author";
                continue;
            }
            schedule::GateCalendar gate = nullptr;
            if (side_of(conversation, party.account) == Side::therapist) {
                gate = &calendar_at(party.account, *id, decision.stamp);
                if (auto why = check_numbers(party, *gate, decision.stamp)) return why;
            }
            auto const expected = schedule::decide_gate(decision.stamp, sender_calendar, gate);
            if (expected.passes_now != (party.verdict == audit::Verdict::pass))
                return expected.passes_now ? "it held what the signed hours let pass"
                                           : "it let pass what the signed hours hold";
            if (!expected.passes_now && expected.until != party.until)
                return "it promised another time than the signed hours give";
        }
        return std::nullopt;
    }

    /// The calendar as the server knew it for the entry looked at: of the documents that it had taken before, which the
    /// order of the log tells exactly; times could be equal.
    schedule::Calendar const& calendar_at(AccountId const& account, ConversationId const& id, WallTime stamp) {
        return calendars_.of(account, id, [&](KeptDocument const& kept) {
            auto const logged = taken_at_.find({account, kept.number});
            return logged != taken_at_.end() ? logged->second < deciding_at_
                                             : kept.record.published.in_force_from <= stamp;
        });
    }

    /// The documents that it names are the ones that spoke then.
    std::optional<std::string> check_numbers(audit::Party const& party, schedule::Calendar const& calendar,
                                             WallTime stamp) {
        if (!party.gate) return "it names no hours for a therapist";
        if (party.gate->calendar != calendar.document_at(stamp))
            return "it was decided by other hours than were in force";
        return std::nullopt;
    }

    // ---- What must be there ----------------------------------------------------------------------------------------

    /// What an entry says of a document of a calendar.
    struct LoggedDocument {
        std::uint64_t number = 0;
        Hash32 hash;
        WallTime in_force{};
        std::optional<std::uint8_t> reason;  // of an override
    };
    static std::optional<LoggedDocument> logged_document(audit::Payload const& payload) {
        if (auto const* logged = std::get_if<audit::SchedulePublished>(&payload.body))
            return LoggedDocument{logged->number, logged->document, logged->in_force_from, std::nullopt};
        if (auto const* logged = std::get_if<audit::OverridePublished>(&payload.body))
            return LoggedDocument{logged->number, logged->document, logged->in_force_from, logged->reason};
        return std::nullopt;
    }

    /// Code and words of what is wrong; empty: nothing. A document is in force from when it was taken, or from when it
    /// says itself: a server that puts it off, or back, decides by hours that nobody signed.
    static std::pair<std::string, std::string> difference(LoggedDocument const& logged, CalendarRecord const& kept,
                                                          WallTime decided_at) {
        auto const& document = kept.published.document;
        if (document_hash(document) != logged.hash)
            return {"unsigned_schedule", " are logged as others than were signed"};
        if (kept.stated && kept.published.in_force_from != logged.in_force)
            return {"document_moved", " are logged for another time than was said"};
        auto const place = wire::place_of(document);
        INTERLUDE_CHECK(place);
        if (logged.in_force != std::max(place->effective_from, decided_at))
            return {"document_moved", " were put in force at another time than they were taken"};
        if (!logged.reason) return {};
        auto const read = schedule::decode_override_document(document.bytes);
        if (!read || static_cast<std::uint8_t>(read->reason) != *logged.reason)
            return {"unsigned_schedule", " are logged with another reason than was signed"};
        return {};
    }

    /// Every schedule entry has its signed document, every signed document its entry.
    void check_documents(AccountId const& account) {
        auto const chain = calendar_chain(turn_, account);
        auto const subject = audit::subject_of(account);
        std::vector<std::uint64_t> found;
        for (auto const& [item, payload] : opened_[subject]) {
            auto const logged = logged_document(payload);
            if (!logged) {
                check_list(item, payload);
                continue;
            }
            auto const kept = std::find_if(chain.begin(), chain.end(), [&](KeptDocument const& document) {
                return document.number == logged->number;
            });
            auto const hours = "hours number " + std::to_string(logged->number);
            auto const entry = audit::entry_hash(item.entry);
            if (kept == chain.end()) {
                problem("unsigned_schedule", entry, hours + " are logged and were never shown");
            } else if (auto const [code, what] = difference(*logged, kept->record, payload.decided_at); !code.empty()) {
                problem(code, entry, hours + what);
            } else {
                found.push_back(logged->number);
                ++report_.checked.schedules;
            }
        }
        for (auto const& kept : chain) {
            bool const settled = turn_.now >= kept.record.published.in_force_from + patience;
            if (settled && std::find(found.begin(), found.end(), kept.number) == found.end())
                problem("missing_entry", {}, "hours number " + std::to_string(kept.number) + " are not in the log");
        }
    }

    void check_list(wire::LogItem const& item, audit::Payload const& payload) {
        auto const* published = std::get_if<audit::DeviceListPublished>(&payload.body);
        if (!published) return;
        auto const key =
            bytes::Writer().id(published->account).u64(published->generation).u64(published->version).take();
        auto const known = turn_.rows.get<ListRecord>(Table::device_lists, key);
        if (known && identity::device_list_hash(known->bytes) != published->list)
            problem("two_lists", audit::entry_hash(item.entry), "another device list is logged than was shown");
    }

    WallTime fetched_at(ConversationId const& id) {
        auto const chain = turn_.rows.get<SubjectRecord>(Table::subjects, audit::subject_of(id).bytes);
        return chain ? chain->fetched_at : WallTime{};
    }

    OpenedEntry const* held_entry(ConversationId const& id, std::uint64_t seq) {
        for (auto const& opened : opened_[audit::subject_of(id)])
            if (auto const* held = std::get_if<audit::Held>(&opened.payload.body); held && held->seq == seq)
                return &opened;
        return nullptr;
    }

    OpenedEntry const* recalled_entry(ConversationId const& id, std::uint64_t seq) {
        for (auto const& opened : opened_[audit::subject_of(id)])
            if (auto const* recalled = std::get_if<audit::Recalled>(&opened.payload.body);
                recalled && recalled->seq == seq)
                return &opened;
        return nullptr;
    }

    /// Every message that was held, or should have been, has its entry, and the entry says what the server signed.
    void check_messages(ConversationId const& id, ConversationRecord const& conversation) {
        for (auto const& [key, message] : turn_.rows.scan<MessageRecord>(Table::messages, id.bytes)) {
            auto const seq = number_at_end(key);
            auto const* held = held_entry(id, seq);
            auto const number = "message " + std::to_string(seq);
            if (held) check_held(*held, message, number);
            if (auto const* entry = recalled_entry(id, seq); entry && recalled_unasked(turn_, message))
                problem("recalled_unasked", audit::entry_hash(entry->item.entry), unasked_in_words(seq));
            if (!message.own) {
                auto const passed_by = [&, &message = message](WallTime at) {  // clang 14 captures no binding by itself
                    return passes(calendars_, id, conversation, message.from, me_, message.accepted_at, at);
                };
                bool const should_be_held = !passed_by(message.accepted_at);
                // Until it passes its entry is shown without what it says, so the log must have been asked after that.
                if (should_be_held && !held && passed_by(fetched_at(id) - close_call))
                    problem("missing_entry", {},
                            number + " came outside the hours, and no entry says that it was held");
                continue;
            }
            if (message.holds.empty()) continue;
            if (!held) {
                if (turn_.now >= message.accepted_at + patience)
                    problem("missing_proof", {}, number + " was held, and the log does not say so");
                continue;
            }
            auto const receipt = audit::decode_receipt(message.receipt);
            if (!receipt)
                problem("bad_signature", {}, number + " was held without the server's signed word");
            else if (auto const broken = audit::check_promise(*receipt, held->payload, held->item.index))
                problem(*broken, held->item);
        }
    }

    void check_held(OpenedEntry const& entry, MessageRecord const& message, std::string const& number) {
        auto const& held = std::get<audit::Held>(entry.payload.body);
        auto const hash = audit::entry_hash(entry.item.entry);
        if (held.envelope != message.envelope)
            problem("wrong_decision", hash, "the log holds another envelope as " + number);
        if (held.stamp != message.accepted_at)
            problem("wrong_decision", hash, number + " came with another arrival time than the log has");
    }

    /// What the log says was held for this account and is due by now is here.
    void check_delivery(ConversationId const& id, ConversationRecord const& conversation) {
        for (auto const& [item, payload] : opened_[audit::subject_of(id)]) {
            auto const* held = std::get_if<audit::Held>(&payload.body);
            if (!held) continue;
            auto const mine = std::find_if(held->parties.begin(), held->parties.end(),
                                           [&](auto const& party) { return party.account == me_; });
            auto const sender = std::find_if(held->parties.begin(), held->parties.end(),
                                             [](auto const& party) { return party.sender; });
            if (mine == held->parties.end() || mine->sender || sender == held->parties.end()) continue;
            auto const key = key_of(id, held->seq);
            if (turn_.rows.has(Table::messages, key) || turn_.rows.has(Table::envelopes, key)) continue;
            if (has_ended(id, held->seq)) continue;
            if (passes(calendars_, id, conversation, sender->account, me_, held->stamp, turn_.now - patience))
                problem("undelivered", audit::entry_hash(item.entry),
                        "message " + std::to_string(held->seq) + " was held, is due, and did not come");
        }
    }

    bool has_ended(ConversationId const& id, std::uint64_t seq) {
        for (auto const& [item, payload] : opened_[audit::subject_of(id)]) {
            if (auto const* recalled = std::get_if<audit::Recalled>(&payload.body); recalled && recalled->seq == seq)
                return true;
            if (auto const* expired = std::get_if<audit::Expired>(&payload.body); expired && expired->seq == seq)
                return true;
        }
        return false;
    }

    Turn& turn_;
    audit::LogView const& log_;
    AccountId me_;
    Calendars calendars_;
    std::vector<std::pair<ConversationId, ConversationRecord>> conversations_;
    std::map<std::pair<AccountId, std::uint64_t>, std::uint64_t> taken_at_;  // indices in the log
    std::uint64_t deciding_at_ = 0;
    std::map<SubjectId, std::vector<OpenedEntry>> opened_;
    AuditReport report_;
};

}  // namespace

AuditReport Engine::audit_verify(WallTime now) {
    Turn turn(vault_, entropy_, now);
    auto const server = turn.rows.home<ServerRecord>(home::server);
    auto const log = server ? log_view(*server) : std::nullopt;
    if (!log || !log->latest()) {
        AuditReport report;
        report.problems.push_back({"nothing_in_log", "", "no checkpoint of the log was ever verified here"});
        return report;
    }
    return AuditCheck(turn, *log).run(*server);
}

}  // namespace interlude::engine
