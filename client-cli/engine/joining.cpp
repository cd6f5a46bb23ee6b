#include "client-cli/engine/joining.hpp"

#include <algorithm>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/membership.hpp"
#include "common/base/limits.hpp"
#include "common/bytes/text.hpp"
#include "common/mls/messages.hpp"

namespace interlude::engine {

using base::Errc;
namespace limits = base::limits;

namespace {

constexpr std::uint32_t healing_jitter_minutes_max = 12 * 60;
constexpr std::size_t group_id_bytes = 16;

/// "host" or "host:port" of a link; the link's parser made sure of the form.
Server server_of(std::string const& server) {
    auto const colon = server.rfind(':');
    if (colon == std::string::npos || server.find(']', colon) != std::string::npos) return {server, 443};
    std::uint16_t port = 0;
    for (auto digit : std::string_view(server).substr(colon + 1))
        port = static_cast<std::uint16_t>(port * 10 + (digit - '0'));
    return {server.substr(0, colon), port};
}

std::string format(Server const& server) {
    return server.port == 443 ? server.host : server.host + ":" + std::to_string(server.port);
}

Result<InvitationMade> make_invitation(Turn& turn, std::string name) {
    auto const account = turn.account();
    auto const server = turn.server();
    auto const list = own_list(turn);
    identity::InvitationFragment fragment;
    fragment.kind = identity::InvitationKind::new_conversation;
    fragment.seed = turn.entropy.secret(identity::invitation_seed_size);
    fragment.inviter = account.account;
    fragment.position = list.list().position();
    fragment.list_hash = list.hash();
    fragment.log_key_hash = server.log_key_hash;
    fragment.expiry = turn.now + limits::invitation_life_default;

    identity::InvitationDocument document;
    document.invitation_key = identity::invitation_key(fragment.seed.expose()).public_key();
    document.kind = fragment.kind;
    document.inviter = account.account;
    document.device = account.device;
    document.position = fragment.position;
    document.expiry = fragment.expiry;
    auto const signed_document = identity::sign_invitation(device_key(account), document);

    auto const id = document.id();
    InvitationRecord record;
    record.link = identity::format_link({format({server.host, server.port}), std::move(fragment)});
    record.name = std::move(name);
    record.document = signed_document.bytes;
    record.signature = bytes::copy(signed_document.signature.bytes);
    record.made = turn.now;
    record.expires = document.expiry;
    turn.rows.put(Table::invitations, id.bytes, record);
    auto const request =
        queue_request(turn, OutgoingKind::document,
                      wire::InvitationPut{{wire::DocumentKind::invitation, record.document, record.signature}});
    return InvitationMade{id, record.link, record.expires, request};
}

JoinPlan plan_of(Turn& turn, identity::InvitationLink const& link) {
    auto const account = turn.account();
    return {server_of(link.server), account.account, account.device, account.side, link.fragment.expiry};
}

void new_conversation(Turn& turn, ConversationId const& id, ConversationRecord record, mls::Group const& group) {
    record.group_id = group.group_id();
    record.server_epoch = group.epoch();
    record.last_commit = turn.now;
    record.healing_jitter_minutes = static_cast<std::uint32_t>(turn.entropy.below(healing_jitter_minutes_max));
    save_group(turn, id, record.generation, group);
    turn.save(id, record);
    turn.tell(ConversationBegan{id});
}

/// A fetched package of a listed device, ready to be added.
Result<mls::KeyPackage> open_package(Turn& turn, wire::DeviceKeyPackage const& package, AccountId const& account) {
    INTERLUDE_TRY(auto message, mls::decode(package.key_package, mls::read_mls_message));
    auto const* key_package = message.as<mls::KeyPackage>();
    auto const* identity = key_package ? key_package->leaf_node.credential.identity() : nullptr;
    if (!identity) return Errc::bad_leaf;
    INTERLUDE_TRY(auto leaf, identity::decode_leaf_identity(*identity));
    if (leaf.account != account || leaf.device != package.device) return Errc::bad_leaf;
    INTERLUDE_TRY_VOID(check_leaf(turn, *identity, key_package->leaf_node.signature_key));
    return *key_package;
}

}  // namespace

std::optional<JoinRecord> pending_join(Turn& turn) {
    auto join = turn.rows.home<JoinRecord>(home::join);
    if (!join || join->done) return std::nullopt;
    return join;
}

identity::InvitationLink link_of(JoinRecord const& join) {
    auto link = identity::parse_link(join.link);
    INTERLUDE_CHECK(link);
    return std::move(*link);
}

wire::Redeem redeem_body(JoinRecord const& join) {
    return {join.redemption, join.signature};
}

wire::ClientBody first_invited_request(Turn& turn, RequestId& request) {
    auto join = pending_join(turn);
    INTERLUDE_CHECK(join);
    auto const link = link_of(*join);
    if (join->redemption.empty() && link.fragment.kind == identity::InvitationKind::therapist) {
        auto const account = turn.account();
        identity::Redemption redemption;
        redemption.invitation =
            identity::invitation_id(identity::invitation_key(link.fragment.seed.expose()).public_key());
        redemption.server_name = turn.server().host;
        redemption.kind = link.fragment.kind;
        redemption.account = account.account;
        redemption.device_list = own_list(turn).as_signed();
        redemption.device = account.device;
        auto const made = identity::sign_redemption(identity::invitation_key(link.fragment.seed.expose()), redemption);
        join->redemption = made.bytes;
        join->signature = bytes::copy(made.signature.bytes);
        turn.rows.put_home(home::join, *join);
    }
    if (!join->redemption.empty()) {
        request = join->request;
        return redeem_body(*join);
    }
    request = turn.entropy.id<RequestId>();
    auto const& pinned = link.fragment.position;
    return wire::DeviceListGet{link.fragment.inviter, pinned.generation, pinned.version - 1};
}

Result<void> take_inviter_lists(Turn& turn, wire::Documents const& documents) {
    auto const join = pending_join(turn);
    INTERLUDE_CHECK(join);
    auto const link = link_of(*join);
    std::vector<identity::SignedDeviceList> chain;
    for (auto const& published : documents.documents) {
        if (published.document.kind != wire::DocumentKind::device_list) continue;
        auto const signature = crypto::Signature::from(published.document.signature);
        if (!signature) return Errc::bad_signature;
        chain.push_back({published.document.bytes, *signature});
    }
    if (chain.empty()) return Errc::unknown;
    INTERLUDE_TRY(auto pinned, identity::verify_pinned(chain.front(), link.fragment.inviter, link.fragment.list_hash));
    if (pinned.list().identity.side != Side::therapist) return Errc::not_allowed;
    keep_list(turn, pinned);
    chain.erase(chain.begin());
    INTERLUDE_TRY(auto newest, identity::verify_chain(std::move(pinned), std::move(chain)));
    keep_list(turn, newest);
    return {};
}

Result<void> found_conversation(Turn& turn, wire::KeyPackages const& packages) {
    auto join = pending_join(turn);
    INTERLUDE_CHECK(join);
    auto const link = link_of(*join);
    auto const account = turn.account();
    auto const id = turn.entropy.id<ConversationId>();

    mls_framing::Declaration declaration;
    declaration.conversation = id;
    declaration.epoch_before = 0;
    mls::CommitArgs args;
    for (auto const& package : packages.packages) {
        INTERLUDE_TRY(auto key_package, open_package(turn, package, link.fragment.inviter));
        INTERLUDE_TRY(auto outer, mls_framing::read_key_package_outer(package.key_package));
        declaration.added.push_back({link.fragment.inviter, Side::therapist, package.device, outer.ref});
        args.adds.push_back(std::move(key_package));
    }
    if (args.adds.empty()) return Errc::unknown;
    auto const inviters = newest_list(turn, link.fragment.inviter);
    for (auto const& device : inviters->list().devices)  // one per live device (exact.md, Invitation)
        if (std::none_of(declaration.added.begin(), declaration.added.end(),
                         [&](auto const& added) { return added.device == device.id; }))
            return Errc::not_listed;
    auto const encoded = mls_framing::encode(declaration);
    args.authenticated_data = bytes::copy(mls_framing::declaration_hash(encoded).bytes);
    args.outside.check_leaf = leaf_check(turn);
    args.outside.now = turn.now;

    auto own = make_key_package(turn, limits::key_package_life);
    INTERLUDE_TRY(auto group,
                  mls::Group::found({turn.entropy.bytes(group_id_bytes), std::move(own), {}}, turn.entropy));
    INTERLUDE_TRY(auto made, group.commit(std::move(args), turn.entropy));
    INTERLUDE_CHECK(made.welcome);

    identity::Redemption redemption;
    redemption.invitation = identity::invitation_id(identity::invitation_key(link.fragment.seed.expose()).public_key());
    redemption.server_name = turn.server().host;
    redemption.kind = link.fragment.kind;
    redemption.account = account.account;
    redemption.device_list = own_list(turn).as_signed();
    redemption.device = account.device;
    redemption.founding = identity::Founding{id, 1, group.group_id(), encoded, {*made.welcome}};
    auto const signed_redemption =
        identity::sign_redemption(identity::invitation_key(link.fragment.seed.expose()), redemption);

    INTERLUDE_TRY(auto members, members_after(declaration, {{account.account, Side::client, {account.device}}}));
    auto const founded = std::move(group).merge(std::move(made.next));
    INTERLUDE_CHECK(roster_matches(founded, members));
    join->redemption = signed_redemption.bytes;
    join->signature = bytes::copy(signed_redemption.signature.bytes);
    join->conversation = id;
    join->group = founded.encode();
    join->members = std::move(members);
    turn.rows.put_home(home::join, *join);
    return {};
}

void forget_founding(Turn& turn) {
    auto join = pending_join(turn);
    INTERLUDE_CHECK(join);
    join->redemption.clear();
    join->signature.clear();
    join->conversation.reset();
    join->group = SecretBytes();
    join->members.clear();
    join->request = turn.entropy.id<RequestId>();
    turn.rows.put_home(home::join, *join);
}

namespace {

void leave_join(Turn& turn) {
    for (auto const& row : turn.rows.scan<ListRecord>(Table::device_lists))
        turn.rows.erase(Table::device_lists, row.key);
    for (auto const name : {home::join, home::account, home::server}) turn.rows.erase(Table::home, bytes::view(name));
}

}  // namespace

void abandon_join(Turn& turn, wire::Rule rule) {
    switch (rule) {
        case wire::Rule::expired:
        case wire::Rule::spent:
        case wire::Rule::not_a_member:
        case wire::Rule::closed_conversation:
            break;
        case wire::Rule::off_hours:
        case wire::Rule::too_big:
        case wire::Rule::quota:
        case wire::Rule::too_fast:
        case wire::Rule::not_yet:
        case wire::Rule::schedule:
        case wire::Rule::invalid:
        case wire::Rule::conflict:
        case wire::Rule::unreachable:
            return;  // the same invitation may work later
    }
    leave_join(turn);
}

void take_redeemed(Turn& turn, wire::Redeemed const& redeemed) {
    auto join = pending_join(turn);
    if (!join) return;
    auto const account = turn.account();
    if (redeemed.account != account.account || redeemed.conversation != join->conversation) {
        turn.alarm("redeemed_other", "the server answered the invitation for somebody else");
        return;
    }
    if (join->conversation) {
        auto const group = mls::Group::decode(join->group.expose());
        INTERLUDE_CHECK(group);
        ConversationRecord record;
        record.name = join->conversation_name;
        record.members = join->members;
        record.verified = Verification::by_invitation;
        new_conversation(turn, *join->conversation, std::move(record), *group);
    }
    turn.tell(Joined{account.account, account.device, account.side, join->conversation});
    join->done = true;
    join->group = SecretBytes();
    turn.rows.put_home(home::join, *join);
}

namespace {

struct Joining {
    mls::Group group;
    std::vector<wire::MemberState> members;
    InvitationRecord invitation;
    bool last_resort = false;
};

Result<Joining> join_group(Turn& turn, wire::Welcome const& welcome) {
    if (!welcome.invitation) return Errc::not_yet;  // joining a conversation that there is
    auto const signature = crypto::Signature::from(welcome.invitation->signature);
    auto const redeemed = crypto::Signature::from(welcome.redemption_signature);
    if (!signature || !redeemed) return Errc::bad_signature;
    auto const own = own_list(turn);
    INTERLUDE_TRY(auto document, identity::verify_invitation({welcome.invitation->bytes, *signature}, own.list()));
    if (document.inviter != own.list().account()) return Errc::not_allowed;
    auto invitation =
        turn.rows.get<InvitationRecord>(Table::invitations, document.id().bytes).value_or(InvitationRecord{});
    INTERLUDE_TRY(auto verified,
                  identity::verify_redemption({welcome.redemption, *redeemed}, document, turn.server().host));
    auto const& founding = verified.redemption.founding;
    if (!founding || founding->conversation != welcome.conversation || founding->generation != welcome.generation ||
        founding->declaration != welcome.declaration ||
        std::find(founding->welcomes.begin(), founding->welcomes.end(), welcome.mls) == founding->welcomes.end())
        return Errc::inconsistent;
    INTERLUDE_TRY(auto declaration, mls_framing::decode_declaration(welcome.declaration));
    if (declaration.conversation != welcome.conversation || declaration.generation != welcome.generation ||
        declaration.epoch_before + 1 != welcome.epoch)
        return Errc::inconsistent;
    std::vector<wire::MemberState> const founder{
        {verified.redemption.account, Side::client, {verified.redemption.device}}};
    INTERLUDE_TRY(auto members, members_after(declaration, founder));
    keep_list(turn, verified.device_list);

    INTERLUDE_TRY(auto outer, mls_framing::read_welcome_outer(welcome.mls));
    for (auto const& ref : outer.refs) {
        auto package = turn.rows.get<KeyPackageRecord>(Table::key_packages, ref.bytes);
        if (!package) continue;
        if (package->used && !package->last_resort) return Errc::not_allowed;
        bytes::Reader reader(package->bundle.expose());
        auto bundle = mls::read_key_package_bundle(reader);
        INTERLUDE_CHECK(bundle);
        mls::Outside outside;
        outside.check_leaf = leaf_check(turn);
        INTERLUDE_TRY(auto group, mls::Group::join({welcome.mls, *bundle, std::nullopt, outside}));
        if (group.group_id() != founding->group_id || group.epoch() != welcome.epoch || !roster_matches(group, members))
            return Errc::inconsistent;
        package->used = true;
        if (!package->last_resort) package->bundle = SecretBytes();  // its keys opened this Welcome and nothing else
        turn.rows.put(Table::key_packages, ref.bytes, *package);
        return Joining{std::move(group), std::move(members), std::move(invitation), package->last_resort};
    }
    return Errc::no_key;
}

}  // namespace

void take_welcome(Turn& turn, wire::Welcome const& welcome) {
    auto const& id = welcome.conversation;
    if (turn.conversation(id)) {
        turn.say(wire::HandshakeAck{id, welcome.generation, welcome.epoch});
        return;
    }
    auto joining = join_group(turn, welcome);
    if (!joining) {
        turn.alarm(
            "welcome_refused",
            "somebody's beginning of a conversation does not hold (" + std::string(base::name(joining.error())) + ")",
            id, welcome.mls, welcome.redemption);
        turn.ask(turn.entropy.id<RequestId>(), wire::CommitRejected{id, welcome.generation, welcome.epoch - 1,
                                                                    static_cast<std::uint32_t>(joining.error())});
        return;
    }
    bool const second = joining->invitation.conversation && *joining->invitation.conversation != id;
    if (second)
        turn.alarm("second_attempt", "one invitation was used for two conversations: compare the words of both", id,
                   joining->invitation.document, welcome.redemption);
    ConversationRecord record;
    record.name = joining->invitation.name;
    record.generation = welcome.generation;
    record.members = std::move(joining->members);
    record.verified = second ? Verification::changed : Verification::joined;
    if (joining->invitation.made != WallTime{}) record.invited_at = joining->invitation.made;
    record.replace_leaf = joining->last_resort;
    new_conversation(turn, id, std::move(record), joining->group);
    turn.say(wire::HandshakeAck{id, welcome.generation, welcome.epoch});
    // The server's key packages are one fewer now.
    turn.ask(turn.entropy.id<RequestId>(), wire::KeyPackagesPut{});
    if (auto const document = identity::decode_invitation(welcome.invitation->bytes)) {
        auto invitation = turn.rows.get<InvitationRecord>(Table::invitations, document->id().bytes);
        if (invitation) {
            invitation->phase = wire::InvitationPhase::redeemed;
            if (!invitation->conversation) invitation->conversation = id;
            turn.rows.put(Table::invitations, document->id().bytes, *invitation);
            turn.tell(InvitationChanged{document->id(), invitation->phase, invitation->second_attempt});
        }
    }
}

void top_up_key_packages(Turn& turn, std::uint32_t left, std::uint32_t wanted) {
    for (auto const& [request, record] : outgoing(turn))
        if (record.kind == OutgoingKind::packages && record.state == OutgoingState::waiting) return;
    // Private halves of packages that nobody can use any more are forgotten.
    std::optional<WallTime> last_resort;
    for (auto const& [key, package] : turn.rows.scan<KeyPackageRecord>(Table::key_packages)) {
        auto const life = package.last_resort ? limits::last_resort_key_package_life : limits::key_package_life;
        if (turn.believes_time() && turn.now > package.made + life + limits::hold_life_default)
            turn.rows.erase(Table::key_packages, key);
        else if (package.last_resort && (!last_resort || *last_resort < package.made))
            last_resort = package.made;
    }
    auto const keep = [&](std::chrono::seconds life, bool resort) {
        auto const bundle = make_key_package(turn, life);
        bytes::Writer secret;
        mls::write(secret, bundle);
        auto const message = mls::encode(mls::MLSMessage{bundle.key_package});
        auto const outer = mls_framing::read_key_package_outer(message);
        INTERLUDE_CHECK(outer);
        turn.rows.put(Table::key_packages, outer->ref.bytes,
                      KeyPackageRecord{SecretBytes(std::move(secret).take()), turn.now, resort, false});
        return message;
    };
    wire::KeyPackagesPut put;
    while (left + put.key_packages.size() < wanted) put.key_packages.push_back(keep(limits::key_package_life, false));
    if (!last_resort || turn.now > *last_resort + limits::last_resort_key_package_life / 2)
        put.last_resort = keep(limits::last_resort_key_package_life, true);
    if (put.key_packages.empty() && !put.last_resort) return;
    queue_request(turn, OutgoingKind::packages, std::move(put));
}

void take_invitations(Turn& turn, wire::Invitations const& invitations) {
    for (auto const& info : invitations.invitations) {
        auto record = turn.rows.get<InvitationRecord>(Table::invitations, info.invitation.bytes);
        if (!record || (record->phase == info.phase && record->second_attempt == info.second_attempt)) continue;
        record->phase = info.phase;
        if (info.second_attempt && !record->second_attempt)
            turn.alarm("second_attempt", "somebody else tried an invitation after it was used: compare the words",
                       std::nullopt, record->document);
        record->second_attempt = info.second_attempt;
        turn.rows.put(Table::invitations, info.invitation.bytes, *record);
        turn.tell(InvitationChanged{info.invitation, info.phase, info.second_attempt});
    }
}

// ---- Engine --------------------------------------------------------------------------------------------------------

bool Engine::has_account() {
    Turn turn(vault_, entropy_, {});
    return turn.rows.home<AccountRecord>(home::account).has_value();
}

bool Engine::join_pending() {
    Turn turn(vault_, entropy_, {});
    return pending_join(turn).has_value();
}

Result<Server> Engine::server() {
    Turn turn(vault_, entropy_, {});
    auto const server = turn.rows.home<ServerRecord>(home::server);
    if (!server) return Errc::unknown;
    return Server{server->host, server->port};
}

Result<JoinPlan> Engine::join_begin(std::string_view text, std::string conversation_name, std::string own_name,
                                    WallTime now) {
    INTERLUDE_TRY(auto link, identity::parse_link(text));
    if (own_name.size() > name_bytes_max || conversation_name.size() > name_bytes_max) return Errc::too_long;
    if (!bytes::is_utf8(own_name) || !bytes::is_utf8(conversation_name)) return Errc::malformed;
    Turn turn(vault_, entropy_, now);
    if (auto const join = turn.rows.home<JoinRecord>(home::join)) {
        if (join->link == text) return plan_of(turn, link);
        if (join->done || !join->redemption.empty()) return Errc::conflict;
        leave_join(turn);  // nothing was ever asked of the server with it
    }
    if (now >= link.fragment.expiry) return Errc::expired;
    if (link.fragment.kind == identity::InvitationKind::join) return Errc::not_yet;
    create_account(turn, identity::invited_side(link.fragment.kind), std::move(own_name));
    ServerRecord server;
    auto const where = server_of(link.server);
    server.host = where.host;
    server.port = where.port;
    server.log_key_hash = link.fragment.log_key_hash;
    turn.save(server);
    JoinRecord join;
    join.link = std::string(text);
    join.conversation_name = std::move(conversation_name);
    join.request = turn.entropy.id<RequestId>();
    turn.rows.put_home(home::join, join);
    auto const plan = plan_of(turn, link);
    turn.rows.commit();
    return plan;
}

Result<InvitationMade> Engine::invite(std::string conversation_name, WallTime now) {
    if (conversation_name.size() > name_bytes_max) return Errc::too_long;
    if (!bytes::is_utf8(conversation_name)) return Errc::malformed;
    Turn turn(vault_, entropy_, now);
    auto const account = turn.rows.home<AccountRecord>(home::account);
    if (!account || account->side != Side::therapist || pending_join(turn)) return Errc::not_allowed;
    INTERLUDE_TRY(auto made, make_invitation(turn, std::move(conversation_name)));
    turn.rows.commit();
    return made;
}

std::vector<InvitationView> Engine::invitations() {
    Turn turn(vault_, entropy_, {});
    std::vector<InvitationView> views;
    for (auto const& [key, record] : turn.rows.scan<InvitationRecord>(Table::invitations))
        views.push_back({*InvitationId::from(key), record.link, record.name, record.made, record.expires, record.phase,
                         record.on_server, record.second_attempt});
    std::sort(views.begin(), views.end(), [](auto const& a, auto const& b) { return a.made < b.made; });
    return views;
}

}  // namespace interlude::engine
