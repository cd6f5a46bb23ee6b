// Mutates one field of a frame: parsed as protobuf, so that the rest of it stays a frame.
#include <google/protobuf/message.h>

#include "interlude.pb.h"
#include "tests/fuzz/custom_mutator.hpp"

namespace {

using namespace interlude;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

using Dice = std::minstd_rand;

/// The message and all that are set in it.
void collect(Message& message, std::vector<Message*>& all) {
    all.push_back(&message);
    auto const& reflection = *message.GetReflection();
    std::vector<FieldDescriptor const*> set;
    reflection.ListFields(message, &set);
    for (auto const* field : set) {
        if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
        if (field->is_repeated())
            for (int i = 0; i < reflection.FieldSize(message, field); ++i)
                collect(*reflection.MutableRepeatedMessage(&message, field, i), all);
        else
            collect(*reflection.MutableMessage(&message, field), all);
    }
}

/// Bytes of another content, and every second time of the same size, as ids and signatures have one.
std::string other_text(std::string const& text, Dice& dice) {
    auto const changed = fuzz::scrambled(bytes::view(text), dice() % 2 == 0 ? 0 : 64);
    return bytes::text(changed);
}

std::uint64_t other_number(std::uint64_t number, Dice& dice) {
    constexpr std::uint64_t interesting[] = {0,         1,         2, 0x7fff'ffff, 0xffff'ffff, 253'402'300'799'999,
                                             INT64_MAX, UINT64_MAX};
    switch (dice() % 3) {
        case 0:
            return number + 1;
        case 1:
            return number - 1;
        default:
            return interesting[dice() % std::size(interesting)];
    }
}

void change_single(Message& message, FieldDescriptor const* field, Dice& dice) {
    auto const& reflection = *message.GetReflection();
    switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
            reflection.SetString(&message, field, other_text(reflection.GetString(message, field), dice));
            break;
        case FieldDescriptor::CPPTYPE_UINT32:
            reflection.SetUInt32(&message, field,
                                 static_cast<std::uint32_t>(other_number(reflection.GetUInt32(message, field), dice)));
            break;
        case FieldDescriptor::CPPTYPE_UINT64:
            reflection.SetUInt64(&message, field, other_number(reflection.GetUInt64(message, field), dice));
            break;
        case FieldDescriptor::CPPTYPE_BOOL:
            reflection.SetBool(&message, field, !reflection.GetBool(message, field));
            break;
        case FieldDescriptor::CPPTYPE_ENUM:
            reflection.SetEnumValue(&message, field, static_cast<int>(dice() % 16));
            break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
            reflection.MutableMessage(&message, field);
            break;
        default:
            break;  // the .proto has no others
    }
}

void add_item(Message& message, FieldDescriptor const* field, Dice& dice) {
    auto const& reflection = *message.GetReflection();
    auto const size = reflection.FieldSize(message, field);
    auto const from = size == 0 ? 0 : static_cast<int>(dice() % static_cast<unsigned>(size));
    switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
            reflection.AddString(
                &message, field,
                other_text(size == 0 ? std::string() : reflection.GetRepeatedString(message, field, from), dice));
            break;
        case FieldDescriptor::CPPTYPE_UINT64:
            reflection.AddUInt64(
                &message, field,
                other_number(size == 0 ? 0 : reflection.GetRepeatedUInt64(message, field, from), dice));
            break;
        case FieldDescriptor::CPPTYPE_MESSAGE: {
            auto* const added = reflection.AddMessage(&message, field);
            if (size > 0) added->CopyFrom(reflection.GetRepeatedMessage(message, field, from));
            break;
        }
        default:
            break;
    }
}

void change_repeated(Message& message, FieldDescriptor const* field, Dice& dice) {
    auto const& reflection = *message.GetReflection();
    auto const size = reflection.FieldSize(message, field);
    if (size == 0 || dice() % 2 == 0) return add_item(message, field, dice);
    if (dice() % 2 == 0) return reflection.RemoveLast(&message, field);
    reflection.SwapElements(&message, field, static_cast<int>(dice() % static_cast<unsigned>(size)), size - 1);
}

void change_one_field(Message& frame, Dice& dice) {
    std::vector<Message*> all;
    collect(frame, all);
    auto& message = *all[dice() % all.size()];
    auto const fields = message.GetDescriptor()->field_count();
    if (fields == 0) return;
    auto const* field = message.GetDescriptor()->field(static_cast<int>(dice() % static_cast<unsigned>(fields)));
    if (dice() % 8 == 0) return message.GetReflection()->ClearField(&message, field);
    if (field->is_repeated()) return change_repeated(message, field, dice);
    change_single(message, field, dice);
}

template <class Frame>
std::optional<bytes::Bytes> mutate_frame(bytes::ByteView input, Dice& dice) {
    Frame frame;
    if (!frame.ParseFromArray(input.data(), static_cast<int>(input.size()))) return std::nullopt;
    change_one_field(frame, dice);
    return bytes::copy(bytes::view(frame.SerializeAsString()));
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    return fuzz::mutate_chosen(data, size, max_size, seed, [](unsigned choice, bytes::ByteView rest, Dice& dice) {
        return choice % 2 == 0 ? mutate_frame<v1::ClientFrame>(rest, dice) : mutate_frame<v1::ServerFrame>(rest, dice);
    });
}
