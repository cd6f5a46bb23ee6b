// A limit on everything, in one place; relations between them are checked by the compiler.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace interlude::base::limits {

using namespace std::chrono_literals;

// Wire.
inline constexpr std::size_t frame_bytes_max = 256 * 1024;
inline constexpr std::size_t http_header_bytes_max = 8 * 1024;
inline constexpr std::size_t outbox_bytes_max = 1024 * 1024;
inline constexpr int links_per_device_max = 4;

// MLS.
inline constexpr std::size_t handshake_bytes_max = 8 * 1024;
inline constexpr std::size_t handshake_bytes_per_added_leaf = 2 * 1024;
inline constexpr std::size_t padding_floor_bytes = 256;
inline constexpr std::size_t handshake_padding_floor_bytes = 1024;
inline constexpr std::uint32_t skipped_generations_max = 1024;
inline constexpr std::uint32_t forward_generations_max = 1024;
inline constexpr std::uint32_t healing_generations = 100;
inline constexpr std::uint32_t healing_generations_forced = 500;
inline constexpr int retained_epochs_before_pause = 48;
inline constexpr auto previous_epoch_grace = 30s;
inline constexpr int commits_per_hour_max = 6;
inline constexpr int key_packages_per_device = 50;
inline constexpr auto key_package_life = std::chrono::days{28};
inline constexpr auto last_resort_key_package_life = std::chrono::days{100};

// Holding.
inline constexpr auto hold_life_default = std::chrono::days{35};
inline constexpr auto clock_tolerance = 2min;
inline constexpr auto stamp_life = 5s;  // a request that waited longer for the store is stamped anew
inline constexpr int schedule_days_compiled = 400;
inline constexpr int schedule_days_resign = 90;
inline constexpr std::size_t schedule_document_bytes_max = 64 * 1024;

// People.
inline constexpr int accounts_per_conversation_max = 8;
inline constexpr int gated_accounts_per_conversation_max = 2;
inline constexpr int devices_per_account_max = 8;
inline constexpr auto invitation_life_default = std::chrono::days{7};
inline constexpr int open_invitations_per_therapist_max = 20;
inline constexpr auto device_list_renewal = std::chrono::days{30};
inline constexpr auto device_list_old = std::chrono::days{45};
inline constexpr auto chain_time_tolerance = 2s;  // neighbouring times of one chain may go back by this much
inline constexpr int accounts_certified_ahead = 16;
inline constexpr std::size_t server_name_bytes_max = 255;
inline constexpr std::size_t redemption_bytes_max = 96 * 1024;

// Log.
inline constexpr std::size_t entry_bytes = 104;
inline constexpr std::size_t payload_bytes = 512;
inline constexpr std::size_t payload_body_bytes_max = 479;

static_assert(payload_body_bytes_max == payload_bytes - 1 - 32);
static_assert(handshake_bytes_max + devices_per_account_max * handshake_bytes_per_added_leaf < frame_bytes_max);
static_assert(schedule_document_bytes_max < frame_bytes_max);
static_assert(2 * redemption_bytes_max < frame_bytes_max);  // a redemption travels beside the Welcome it contains
// An epoch's receive state must outlive the longest an envelope of it can live: two hold lives after its stamp.
static_assert(2 * hold_life_default + std::chrono::days{30} <= last_resort_key_package_life);

}  // namespace interlude::base::limits
