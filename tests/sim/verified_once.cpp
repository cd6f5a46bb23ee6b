// A day of the simulation has all its people in one process: a signature that one of them verified, the next ones would
// verify again, byte for byte, and each key pair is derived from its seed at every turn. Both are functions of their
// arguments alone, so here, and in no other program, the linker puts these memos before libsodium's (--wrap). What was
// asked is the key, whole: another byte in key, message or signature is another question.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace {

constexpr std::size_t answers_max = 1 << 14;

void append(std::string& to, unsigned char const* bytes, std::size_t size) {
    to.append(reinterpret_cast<char const*>(bytes), size);
}

/// Answers by the whole question; forgets all when there are too many.
template <class Answer>
class Memo {
  public:
    template <class Ask>
    Answer const& ask(std::string question, Ask const& find_out) {
        if (auto const known = answers_.find(question); known != answers_.end()) return known->second;
        if (answers_.size() == answers_max) answers_.clear();
        return answers_.emplace(std::move(question), find_out()).first->second;
    }

  private:
    std::unordered_map<std::string, Answer> answers_;
};

struct KeyPair {
    std::array<unsigned char, 32> public_key;
    std::array<unsigned char, 64> secret_key;
};

}  // namespace

extern "C" {

int __real_crypto_sign_verify_detached(unsigned char const* signature, unsigned char const* message,
                                       unsigned long long size, unsigned char const* key);
int __wrap_crypto_sign_verify_detached(unsigned char const* signature, unsigned char const* message,
                                       unsigned long long size, unsigned char const* key) {
    thread_local Memo<int> memo;
    std::string question;
    question.reserve(64 + 32 + size);
    append(question, signature, 64);
    append(question, key, 32);
    append(question, message, size);
    return memo.ask(std::move(question),
                    [&] { return __real_crypto_sign_verify_detached(signature, message, size, key); });
}

int __real_crypto_sign_seed_keypair(unsigned char* public_key, unsigned char* secret_key, unsigned char const* seed);
int __wrap_crypto_sign_seed_keypair(unsigned char* public_key, unsigned char* secret_key, unsigned char const* seed) {
    thread_local Memo<KeyPair> memo;
    std::string question;
    append(question, seed, 32);
    auto const& pair = memo.ask(std::move(question), [&] {
        KeyPair made;
        __real_crypto_sign_seed_keypair(made.public_key.data(), made.secret_key.data(), seed);
        return made;
    });
    std::copy(pair.public_key.begin(), pair.public_key.end(), public_key);
    std::copy(pair.secret_key.begin(), pair.secret_key.end(), secret_key);
    return 0;
}

}  // extern "C"
