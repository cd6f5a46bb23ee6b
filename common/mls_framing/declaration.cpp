#include "common/mls_framing/declaration.hpp"

#include <map>
#include <set>

#include "common/base/limits.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::mls_framing {

using base::Errc;
using base::Result;
using bytes::Reader;
using bytes::Writer;

namespace {

/// Counts devices per account, and refuses one that comes twice or more than a conversation can hold.
class Census {
  public:
    Result<void> count(base::AccountId const& account, base::DeviceId const& device) {
        auto& devices = accounts_[account];
        if (!devices.insert(device).second) return Errc::malformed;
        if (accounts_.size() > base::limits::accounts_per_conversation_max ||
            devices.size() > base::limits::devices_per_account_max) {
            return Errc::too_long;
        }
        return {};
    }

  private:
    std::map<base::AccountId, std::set<base::DeviceId>> accounts_;
};

Result<AddedDevice> read_added(Reader& reader) {
    AddedDevice added;
    INTERLUDE_TRY(added.account, reader.id<base::AccountId>());
    INTERLUDE_TRY(auto side, reader.u8());
    if (side != 1 && side != 2) return Errc::malformed;
    added.side = base::Side{side};
    INTERLUDE_TRY(added.device, reader.id<base::DeviceId>());
    INTERLUDE_TRY(added.ref, reader.id<KeyPackageRef>());
    return added;
}

Result<RemovedDevice> read_removed(Reader& reader) {
    RemovedDevice removed;
    INTERLUDE_TRY(removed.account, reader.id<base::AccountId>());
    INTERLUDE_TRY(removed.device, reader.id<base::DeviceId>());
    return removed;
}

}  // namespace

bytes::Bytes encode(Declaration const& declaration) {
    Writer writer;
    writer.id(declaration.conversation).u64(declaration.generation).u64(declaration.epoch_before);
    writer.vector_of(declaration.added, [](Writer& inner, AddedDevice const& added) {
        inner.id(added.account).u8(static_cast<std::uint8_t>(added.side)).id(added.device).id(added.ref);
    });
    writer.vector_of(declaration.removed,
                     [](Writer& inner, RemovedDevice const& removed) { inner.id(removed.account).id(removed.device); });
    writer.opaque({});  // reserved consents
    return std::move(writer).take();
}

Result<Declaration> decode_declaration(bytes::ByteView bytes) {
    Reader reader(bytes);
    Declaration declaration;
    INTERLUDE_TRY(declaration.conversation, reader.id<base::ConversationId>());
    INTERLUDE_TRY(declaration.generation, reader.u64());
    if (declaration.generation == 0) return Errc::malformed;
    INTERLUDE_TRY(declaration.epoch_before, reader.u64());

    INTERLUDE_TRY(auto added_list, reader.vector());
    Census added_devices;
    std::map<base::AccountId, base::Side> sides;
    std::set<KeyPackageRef> refs;
    while (!added_list.empty()) {
        INTERLUDE_TRY(auto added, read_added(added_list));
        INTERLUDE_TRY_VOID(added_devices.count(added.account, added.device));
        if (!refs.insert(added.ref).second) return Errc::malformed;
        if (sides.try_emplace(added.account, added.side).first->second != added.side) return Errc::malformed;
        declaration.added.push_back(added);
    }

    INTERLUDE_TRY(auto removed_list, reader.vector());
    Census removed_devices;
    while (!removed_list.empty()) {
        INTERLUDE_TRY(auto removed, read_removed(removed_list));
        INTERLUDE_TRY_VOID(removed_devices.count(removed.account, removed.device));
        declaration.removed.push_back(removed);
    }

    INTERLUDE_TRY(auto consents, reader.opaque());
    if (!consents.empty()) return Errc::malformed;
    INTERLUDE_TRY_VOID(reader.finish());
    return declaration;
}

base::Hash32 declaration_hash(bytes::ByteView encoded) {
    return crypto::labelled_hash("declaration", encoded);
}

}  // namespace interlude::mls_framing
