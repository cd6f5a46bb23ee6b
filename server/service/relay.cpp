// One request to its end. Messages: the store decides in its transaction; `stored` leaves after the fsync, `held` or
// the gate's `refused` after the checkpoint that proves it.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "common/audit/receipt.hpp"
#include "common/schedule/schedule_document.hpp"
#include "server/core/refusals.hpp"
#include "server/service/link_service.hpp"

namespace interlude::service {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

constexpr std::size_t log_page_items = 64;
constexpr std::uint32_t retry_after_seconds = 5;  // where the store fails
constexpr std::size_t acked_per_visit_max = 1024;

/// Any of the store's answers, as it goes onto the wire.
template <class Variant>
wire::ServerBody as_body(Variant answer) {
    return std::visit([](auto& typed) { return wire::ServerBody(std::move(typed)); }, answer);
}

core::DeviceRef device_of(core::Submit const& submit) {
    return std::get<core::DeviceRef>(submit.who);
}

/// Who fetches lists and packages.
ports::Fetcher fetcher_of(core::Submit const& submit) {
    if (auto const* device = std::get_if<core::DeviceRef>(&submit.who)) return *device;
    return std::get<base::InvitationId>(submit.who);
}

struct Serve {
    std::shared_ptr<LinkContext> link;
    core::Submit const& submit;
    Shared& shared = link->shared;

    void answer(wire::ServerBody body) const { link->answer(submit.frame.request, std::move(body)); }

    // ---- Messages ----

    awaitable<void> operator()(wire::Send const& send) const {
        core::Submission submission{device_of(submit), submit.frame.request, send, submit.stamp, shared.seed()};
        auto outcome = co_await shared.store.accept(std::move(submission));
        std::optional<wire::Refused> refused;
        if (auto const* const accepted = std::get_if<core::Acceptance>(&outcome.verdict)) {
            shared.metrics.add(ports::Counter::messages_accepted);
            if (accepted->recall) shared.sequencer.wake();
            answer(stored(send, accepted->seq, accepted->stamp, accepted->envelope, accepted->holds));
        } else if (auto const* const bound = std::get_if<core::BoundAnswer>(&outcome.verdict)) {
            answer(stored(send, bound->seq, bound->stamp, bound->envelope, bound->holds));
        } else if (auto* const no = std::get_if<wire::Refused>(&outcome.verdict)) {
            shared.metrics.add(ports::Counter::messages_refused);
            refused = std::move(*no);
        } else if (auto const* const stale = std::get_if<wire::EpochStale>(&outcome.verdict)) {
            answer(*stale);
        } else {
            answer(std::get<wire::TooLate>(outcome.verdict));
        }
        if (!outcome.entry) {
            if (refused) answer(std::move(*refused));
            co_return;
        }
        shared.metrics.add(ports::Counter::messages_held);
        auto item = co_await shared.sequencer.prove(std::move(*outcome.entry));
        if (!item) co_return;  // stopping: the app asks again
        if (refused) {
            refused->item = std::move(*item);
            answer(std::move(*refused));
        } else {
            answer(wire::Held{send.conversation, seq_of(outcome.verdict), std::move(*item)});
        }
    }

    static std::uint64_t seq_of(core::Verdict const& verdict) {
        if (auto const* const accepted = std::get_if<core::Acceptance>(&verdict)) return accepted->seq;
        return std::get<core::BoundAnswer>(verdict).seq;
    }

    wire::Stored stored(wire::Send const& send, std::uint64_t seq, base::WallTime stamp, base::Hash32 const& envelope,
                        std::vector<wire::Hold> const& holds) const {
        wire::Stored out;
        out.seq = seq;
        out.stamp = stamp;
        out.envelope = envelope;
        out.holds = holds;
        if (holds.empty()) return out;
        audit::StoredReceipt receipt{shared.options.link.server_name,
                                     send.conversation,
                                     device_of(submit).device,
                                     submit.frame.request,
                                     seq,
                                     stamp,
                                     envelope,
                                     {}};
        for (auto const& hold : holds) receipt.holds.push_back({hold.account, hold.until});
        out.receipt = audit::encode_receipt(receipt);
        out.receipt_signature = bytes::copy(audit::sign_receipt(shared.sequencer.log_key(), out.receipt).bytes);
        return out;
    }

    awaitable<void> operator()(wire::Recall const& recall) const {
        auto outcome = co_await shared.store.recall(device_of(submit), recall.conversation, recall.seq, shared.seed());
        shared.sequencer.wake();
        answer(as_body(std::move(outcome)));
    }

    awaitable<void> operator()(wire::HandshakeAck const& ack) const {
        co_await shared.store.ack_handshake(device_of(submit), ack.conversation, ack.generation, ack.epoch);
        if (link->courier) link->courier->changed(ack.conversation);
    }
    awaitable<void> operator()(wire::Confirm const& confirm) const {
        co_await shared.store.confirm(device_of(submit), confirm.ids);
    }

    // ---- Groups ----

    awaitable<void> operator()(wire::Commit const& commit) const {
        core::CommitSubmission submission{device_of(submit), commit, submit.stamp, shared.seed()};
        auto outcome = co_await shared.store.accept_commit(std::move(submission));
        bool const won = std::holds_alternative<wire::Accepted>(outcome.answer);
        shared.metrics.add(won ? ports::Counter::commits_accepted : ports::Counter::commits_lost);
        shared.sequencer.wake();
        answer(as_body(std::move(outcome.answer)));
    }
    awaitable<void> operator()(wire::CommitRejected const& rejected) const {
        shared.metrics.add(ports::Counter::commits_rejected_by_members);
        shared.diag.say(ports::Level::warning, "member_rejected_a_commit", {{"reason", rejected.reason}});
        answer(wire::Done{});
        co_return;
    }

    // ---- Identity and invitations ----

    awaitable<void> operator()(wire::DeviceListPut const& put) const {
        auto outcome = co_await shared.store.put_device_list(device_of(submit), put.document, shared.seed());
        shared.sequencer.wake();
        answer(as_body(std::move(outcome)));
    }
    awaitable<void> operator()(wire::DeviceListGet const& get) const {
        identity::ListPosition const after{get.generation, get.version};
        auto lists = co_await shared.store.device_lists_after(fetcher_of(submit), get.account, after);
        if (lists) {
            answer(std::move(*lists));
            co_return;
        }
        if (auto const* invitation = std::get_if<base::InvitationId>(&submit.who)) {  // say what became of it
            auto const row = co_await shared.store.invitation(*invitation);
            auto const phase = row ? core::phase_of(*row, shared.timers.time().now) : wire::InvitationPhase::open;
            bool const spent = phase == wire::InvitationPhase::redeemed;
            if (phase != wire::InvitationPhase::open) {
                answer(core::refused(spent ? wire::Rule::spent : wire::Rule::expired));
                co_return;
            }
        }
        answer(wire::Error{wire::ErrorCode::not_allowed, 0});
    }
    awaitable<void> operator()(wire::KeyPackagesPut const& put) const {
        auto outcome = co_await shared.store.put_key_packages(device_of(submit), put);
        answer(as_body(std::move(outcome)));
    }
    awaitable<void> operator()(wire::KeyPackagesFetch const& fetch) const {
        auto outcome = co_await shared.store.fetch_key_packages(fetcher_of(submit), fetch.account);
        answer(as_body(std::move(outcome)));
    }
    awaitable<void> operator()(wire::InvitationPut const& put) const {
        auto outcome = co_await shared.store.put_invitation(device_of(submit), put.document);
        answer(as_body(std::move(outcome)));
    }
    awaitable<void> operator()(wire::InvitationRevoke const& revoke) const {
        auto outcome = co_await shared.store.revoke_invitation(device_of(submit), revoke.invitation);
        answer(as_body(std::move(outcome)));
    }
    awaitable<void> operator()(wire::InvitationList const&) const {
        auto list = co_await shared.store.list_invitations(device_of(submit));
        answer(std::move(list));
    }
    awaitable<void> operator()(wire::Redeem const& redeem) const {
        auto const invitation = std::get<base::InvitationId>(submit.who);
        core::RedeemRequest request{shared.options.link.server_name, invitation, redeem.redemption, redeem.signature,
                                    shared.seed()};
        auto const before = co_await shared.store.invitation(invitation);
        auto outcome = co_await shared.store.redeem(std::move(request));
        shared.sequencer.wake();
        if (std::holds_alternative<wire::Redeemed>(outcome)) shared.metrics.add(ports::Counter::redemptions);
        answer(as_body(std::move(outcome)));
        auto const row = co_await shared.store.invitation(invitation);
        if (!before || !row || row->document.inviter.is_zero()) co_return;  // the operator's own
        bool const second_attempt = row->second_attempt && !before->second_attempt;
        if (second_attempt) shared.metrics.add(ports::Counter::second_attempts);
        // Told when it is news only: whoever has a spent invitation may ask as often as the rate allows.
        bool const redeemed = row->redemption && !before->redemption;
        if (!redeemed && !second_attempt) co_return;
        // Not the device that invited: it may be gone from her list.
        auto const device = shared.registry.device_with_link(row->document.inviter);
        if (!device) co_return;
        auto list = co_await shared.store.list_invitations(*device);
        shared.registry.tell(device->account, std::move(list));
    }

    // ---- Hours ----

    awaitable<void> operator()(wire::SchedulePut const& put) const { return put_calendar(put.document); }
    awaitable<void> operator()(wire::OverridePut const& put) const { return put_calendar(put.document); }

    awaitable<void> put_calendar(wire::SignedDocument const& document) const {
        core::CalendarPutRequest request{device_of(submit), document, zone_of(document), shared.seed()};
        auto outcome = co_await shared.store.put_calendar(std::move(request));
        shared.sequencer.wake();
        if (std::holds_alternative<wire::Done>(outcome)) shared.calendars_changed();
        answer(as_body(std::move(outcome)));
    }

    /// The zone's rules as this machine has them. A document that does not parse is refused by the decision.
    static std::optional<schedule::ZoneRules> zone_of(wire::SignedDocument const& document) {
        auto const needs = core::needs_of(document);
        if (!needs) return std::nullopt;
        auto const zone = schedule::load_zone(needs->zone, needs->span.start, needs->span.end);
        if (!zone) return std::nullopt;
        return *zone;
    }

    // ---- The log ----

    awaitable<void> operator()(wire::LogGet const& get) const {
        auto page = co_await shared.store.log_entries(device_of(submit), get.subject, get.from_counter, log_page_items);
        if (!page) {
            answer(wire::Error{wire::ErrorCode::not_allowed, 0});
            co_return;
        }
        wire::LogEntries out;
        out.subject = get.subject;
        out.head_counter = page->head_counter;
        out.head = page->head;
        for (auto& row : page->rows) {
            auto item = co_await shared.sequencer.prove(std::move(row));
            if (!item) co_return;
            out.items.push_back(std::move(*item));
        }
        out.checkpoint = shared.sequencer.note();
        answer(std::move(out));
    }
    awaitable<void> operator()(wire::CheckpointGet const& get) const {
        auto checkpoint = co_await shared.sequencer.checkpoint_after(get.size_seen);
        answer(std::move(checkpoint));
    }
    awaitable<void> operator()(wire::LogAck const& ack) const {
        co_await shared.store.ack_log(device_of(submit), ack.subject, ack.counter);
    }

    awaitable<void> operator()(wire::CloseConversation const& close) const {
        auto outcome = co_await shared.store.close_conversation(device_of(submit), close.conversation);
        answer(as_body(std::move(outcome)));
    }

    // ---- Never submitted here: LinkCore answers them, and acks go together ----

    awaitable<void> operator()(wire::Hello const&) const { return unreachable(); }
    awaitable<void> operator()(wire::Authenticate const&) const { return unreachable(); }
    awaitable<void> operator()(wire::Ack const&) const { return unreachable(); }
    awaitable<void> operator()(wire::TermsPut const&) const { return unreachable(); }
    awaitable<void> operator()(wire::Leave const&) const { return unreachable(); }
    awaitable<void> operator()(wire::Later const&) const { return unreachable(); }
    awaitable<void> unreachable() const {
        answer(wire::Error{wire::ErrorCode::not_yet, 0});
        co_return;
    }
};

/// The seqs of the first acks, as many as one visit takes; `count`: of so many acks.
std::vector<std::uint64_t> together(std::deque<wire::Ack> const& acks, std::size_t& count) {
    std::vector<std::uint64_t> seqs;
    for (count = 0; count < acks.size() && seqs.size() < acked_per_visit_max; ++count)
        seqs.insert(seqs.end(), acks[count].seqs.begin(), acks[count].seqs.end());
    return seqs;
}

/// Until none waits. Where the store fails, the app does not know, and would not say it again on this link.
awaitable<void> carry_acks(std::shared_ptr<LinkContext> link, core::DeviceRef device, base::ConversationId in) {
    auto& shared = link->shared;
    auto& acks = link->acks.at(in);
    while (!acks.empty()) {
        std::size_t count = 0;
        auto const seqs = together(acks, count);
        bool taken = false;
        try {
            co_await shared.store.ack(device, in, seqs);
            taken = true;
        } catch (std::exception const& error) {
            shared.outage.failed(error);
        }
        if (taken) {
            acks.erase(acks.begin(), acks.begin() + static_cast<std::ptrdiff_t>(count));
            for (; count > 0; --count) link->core.on_heeded();
            if (link->courier) link->courier->acked(in, seqs);
            continue;
        }
        bool const again = co_await shared.timers.sleep_until(shared.timers.mono_now() + try_again_after);
        if (!again || link->closed) break;
    }
    link->acks.erase(in);
}

}  // namespace

void serve_ack(std::shared_ptr<LinkContext> const& link, core::DeviceRef const& device, wire::Ack ack) {
    link->shared.metrics.add(ports::Counter::acks);
    auto const conversation = ack.conversation;
    auto const [of_conversation, alone] = link->acks.try_emplace(conversation);
    of_conversation->second.push_back(std::move(ack));
    if (alone) asio::co_spawn(link->shared.executor, carry_acks(link, device, conversation), asio::detached);
}

awaitable<void> serve_request(std::shared_ptr<LinkContext> link, core::Submit submit) {
    auto& shared = link->shared;
    Serve const serve{link, submit};
    for (bool served = false; !served;) {
        try {
            auto serving = std::visit(serve, submit.frame.body);
            co_await std::move(serving);
            served = true;
        } catch (std::exception const& error) {  // disk or database: nothing was accepted
            shared.outage.failed(error);
        }
        if (served) break;
        if (core::is_answered(submit.frame.body)) {
            link->answer(submit.frame.request, wire::Error{wire::ErrorCode::store, retry_after_seconds});
            break;
        }
        // The app does not know, and would not say it again on this link.
        bool const again = co_await shared.timers.sleep_until(shared.timers.mono_now() + try_again_after);
        if (!again || link->closed) break;
    }
    if (core::is_answered(submit.frame.body))
        link->core.on_answered(submit.frame.request);
    else
        link->core.on_heeded();
}

}  // namespace interlude::service
