#include "tests/bench/joining.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "common/identity/invitation_link.hpp"
#include "common/wire/codec.hpp"
#include "tests/contract/vfs/pair.hpp"

namespace interlude::bench {

namespace asio = boost::asio;
using asio::awaitable;
using base::Side;

namespace {

constexpr std::size_t joining_at_once = 32;
constexpr auto clock_margin = std::chrono::minutes{1};

struct Meeting {
    Stage& stage;
    LoadOptions const& options;
    crypto::SystemEntropy entropy{};

    /// The key of a new invitation for a therapist, from the operator's socket.
    awaitable<crypto::SigningKey> operators_invitation() {
        asio::local::stream_protocol::socket socket(stage.io());
        asio::local::stream_protocol::endpoint const endpoint(options.admin_socket);
        co_await socket.async_connect(endpoint, asio::use_awaitable);
        std::string const request = "{\"verb\":\"invite\",\"role\":\"therapist\"}\n";
        co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
        std::string line;
        auto buffer = asio::dynamic_buffer(line, 64 * 1024);
        co_await asio::async_read_until(socket, buffer, '\n', asio::use_awaitable);
        auto const answer = nlohmann::json::parse(line, nullptr, false);
        auto const text = answer.is_object() ? answer.value("link", std::string()) : std::string();
        auto const link = identity::parse_link(text);
        if (!link) throw Broken("the operator's socket gives no invitation: " + line);
        co_return identity::invitation_key(link->fragment.seed.expose());
    }

    awaitable<std::shared_ptr<Link>> link_of(Login login) {
        auto link = stage.network().link();
        bool const up = co_await come(link, login);
        if (!up) throw Broken("no link to the server: " + link->why());
        co_return link;
    }

    /// On an invited link; it is closed then.
    awaitable<void> redeem(std::shared_ptr<Link> link, crypto::SigningKey const& key, identity::Redemption redemption) {
        redemption.server_name = options.host;
        auto const made = identity::sign_redemption(key, redemption);
        wire::ClientBody body = wire::Redeem{made.bytes, bytes::copy(made.signature.bytes)};
        auto answer = co_await ask(link, std::move(body));
        expect<wire::Redeemed>(std::move(answer));
        link->cut();
    }

    /// What she publishes: a key package for the one who founds, an invitation for him, and her hours.
    awaitable<void> publish(std::shared_ptr<Link> link, test::Person const& her, DeviceKeys const& keys,
                            crypto::SigningKey const& his_invitation, bool open) {
        auto const now = wall_now();
        std::vector<wire::ClientBody> bodies;
        bodies.push_back(wire::KeyPackagesPut{{her.key_package(entropy, now)}, {}});
        bodies.push_back(wire::InvitationPut{test::signed_invitation(her, his_invitation, now + std::chrono::days{6})});
        if (open) {
            auto const from = std::chrono::floor<std::chrono::seconds>(now - clock_margin);
            bodies.push_back(wire::SchedulePut{signed_hours(keys, {{from, from + std::chrono::days{300}}})});
        }
        for (auto& body : bodies) {
            auto answer = co_await ask(link, std::move(body));
            if (std::holds_alternative<wire::Refused>(answer) || std::holds_alternative<wire::Error>(answer))
                throw_unexpected(answer);
        }
    }

    awaitable<Conversation> meet(bool open) {
        auto const now = wall_now();
        test::Person her(Side::therapist, entropy, now), him(Side::client, entropy, now);
        auto const her_invitation = co_await operators_invitation();
        auto invited = co_await link_of({identity::invitation_id(her_invitation.public_key()), her_invitation});
        auto her_redemption = test::therapists_redemption(her, her_invitation);
        co_await redeem(invited, her_invitation, std::move(her_redemption));

        DeviceKeys const her_keys = keys_of(her);
        auto const his_invitation = crypto::SigningKey::generate(entropy);
        auto const her_link = co_await link_of({wire::DeviceLogin{her_keys.account, her_keys.device}, her_keys.key});
        co_await publish(her_link, her, her_keys, his_invitation, open);

        invited = co_await link_of({identity::invitation_id(his_invitation.public_key()), his_invitation});
        wire::ClientBody fetch = wire::KeyPackagesFetch{her_keys.account};
        auto fetched = co_await ask(invited, std::move(fetch));
        auto const packages = expect<wire::KeyPackages>(std::move(fetched));
        Conversation made{entropy.id<base::ConversationId>(), entropy.bytes(16), keys_of(her), keys_of(him), open};
        auto founding = test::clients_redemption(him, her, his_invitation, made.id, made.group_id, packages);
        co_await redeem(invited, his_invitation, std::move(founding));
        her_link->send(wire::encode(wire::ClientFrame{{}, wire::HandshakeAck{made.id, 1, 1}}));
        wire::ClientBody last = wire::CheckpointGet{};  // answered: the ack was read
        co_await ask(her_link, std::move(last));
        her_link->cut();
        co_return made;
    }

    static DeviceKeys keys_of(test::Person const& person) {
        auto const& device = person.devices.front();
        return {person.account(), device.id, device.key.clone()};
    }
};

}  // namespace

wire::SignedDocument signed_hours(DeviceKeys const& therapist, schedule::Intervals spans) {
    auto const now = wall_now();
    schedule::ScheduleDocument document;
    document.account = therapist.account;
    document.device = therapist.device;
    document.rules.zone = "UTC";
    document.rules.openings = std::move(spans);
    auto const span = schedule::zone_span(schedule::compiled_span(now));
    auto const zone = schedule::load_zone("UTC", span.start, span.end);
    if (!zone) throw Broken("this machine has no zone UTC");
    auto const bytes = schedule::encode(schedule::compiled_document(std::move(document), *zone, now)).value();
    auto const signature = crypto::sign_labelled(therapist.key, schedule::schedule_label, bytes);
    return {wire::DocumentKind::schedule, bytes, bytes::copy(signature.bytes)};
}

World make_world(LoadOptions const& options, std::size_t open, std::size_t closed) {
    Stage stage(options);
    Meeting meeting{stage, options};
    World world;
    auto const one = [&](std::size_t item) -> awaitable<void> {
        auto met = co_await meeting.meet(item >= closed);
        world.push_back(std::move(met));
    };
    stage.share(open + closed, joining_at_once, one);
    stage.run_until([&] { return world.size() == open + closed; });
    std::stable_partition(world.begin(), world.end(), [](auto const& conversation) { return !conversation.open; });
    return world;
}

}  // namespace interlude::bench
