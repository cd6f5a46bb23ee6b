// The makers of the tracked seeds, by what they are about; and how a seed is written.
#pragma once

#include <cstdint>
#include <string>

#include "common/bytes/bytes.hpp"
#include "tests/unit/identity/people.hpp"

namespace interlude::fuzz {

// What nearly all of them are made of.
using bytes::Bytes;
using bytes::ByteView;
using identity::tests::id_of;
using identity::tests::noon;

/// The file `name` of the corpus `target`; with a choice, behind the byte that chooses.
void seed(std::string const& target, std::string const& name, bytes::ByteView content);
void seed(std::string const& target, std::string const& name, unsigned choice, bytes::ByteView content);
void seed_text(std::string const& target, std::string const& name, std::string_view content);
void seed_text(std::string const& target, std::string const& name, unsigned choice, std::string_view content);

void make_wire_seeds();
void make_identity_seeds();
void make_schedule_seeds();
void make_audit_seeds();
void make_mls_seeds();
void make_mls_group_seeds();
void make_home_seeds();
void make_text_seeds();

}  // namespace interlude::fuzz
