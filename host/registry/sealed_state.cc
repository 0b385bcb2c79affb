#include "registry/sealed_state.h"

#include <openssl/evp.h>

#include <cstring>
#include <memory>

#include "base/assert.h"
#include "base/random.h"
#include "collet/kit/base64.hpp"

namespace collet::registry {
namespace {

constexpr int kNonceBytes = 12;
constexpr int kTagBytes = 16;

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* bytes(const char* text) { return reinterpret_cast<const unsigned char*>(text); }

template <class Number>
void append_number(std::string& out, Number number) {
  char raw[sizeof number];
  std::memcpy(raw, &number, sizeof number);
  out.append(raw, sizeof number);
}

template <class Number>
Number take_number(std::string_view& from) {
  Number number;
  std::memcpy(&number, from.data(), sizeof number);
  from.remove_prefix(sizeof number);
  return number;
}

// Each part with its length in front, so that no two bindings look alike.
std::string bound_text(const StateBinding& binding) {
  std::string text;
  for (std::string_view part :
       {binding.method, binding.item, binding.source, binding.arguments, binding.principal}) {
    append_number(text, static_cast<std::uint64_t>(part.size()));
    text += part;
  }
  return text;
}

// What was sealed with the key for the text that it is bound to; nothing if it was not. `sealed` is at least as long as nonce and tag.
std::optional<std::string> decrypt(const StateSealer::Key& key, const std::string& bound, std::string& sealed) {
  const std::size_t size = sealed.size() - kNonceBytes - kTagBytes;
  std::string plain(size, '\0');
  const CipherContext context(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool good =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(sealed.data())) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &length, bytes(bound.data()), static_cast<int>(bound.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes(plain.data()), &length, bytes(sealed.data() + kNonceBytes),
                        static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, sealed.data() + kNonceBytes + size) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes(plain.data() + size), &length) == 1;
  return good ? std::optional(std::move(plain)) : std::nullopt;
}

}  // namespace

StateSealer::StateSealer(std::vector<Key> keys) : keys_(std::move(keys)) {
  if (!keys_.empty()) return;
  fill_random(keys_.emplace_back());
}

std::string StateSealer::seal(const SuspendedState& suspended, const StateBinding& binding,
                              std::uint64_t expires_ms) const {
  std::string plain;
  append_number(plain, expires_ms);
  append_number(plain, suspended.round);
  append_number(plain, suspended.version);
  for (const std::string* text : {&suspended.state, &suspended.questions, &suspended.answers}) {
    append_number(plain, static_cast<std::uint64_t>(text->size()));
    plain += *text;
  }
  const std::string bound = bound_text(binding);

  std::string sealed(kNonceBytes + plain.size() + kTagBytes, '\0');
  fill_random({bytes(sealed.data()), kNonceBytes});
  const CipherContext context(EVP_CIPHER_CTX_new());
  int length = 0;
  COLLET_ASSERT(context);
  COLLET_ASSERT(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, keys_.front().data(), bytes(sealed.data())) ==
                1);
  COLLET_ASSERT(
      EVP_EncryptUpdate(context.get(), nullptr, &length, bytes(bound.data()), static_cast<int>(bound.size())) == 1);
  COLLET_ASSERT(EVP_EncryptUpdate(context.get(), bytes(sealed.data() + kNonceBytes), &length, bytes(plain.data()),
                                  static_cast<int>(plain.size())) == 1);
  char* tag = sealed.data() + kNonceBytes + plain.size();
  COLLET_ASSERT(EVP_EncryptFinal_ex(context.get(), bytes(tag), &length) == 1);
  COLLET_ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag) == 1);
  std::string text;
  kit::append_base64(text, sealed);
  return text;
}

std::optional<SuspendedState> StateSealer::open(std::string_view text, const StateBinding& binding,
                                                std::uint64_t now_ms) const {
  constexpr std::size_t kFixedBytes = 4 * sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t);
  auto sealed = kit::from_base64(text);
  if (!sealed || sealed->size() < kNonceBytes + kFixedBytes + kTagBytes) return std::nullopt;
  const std::string bound = bound_text(binding);
  std::optional<std::string> plain;
  for (const Key& key : keys_) {
    if (!plain) plain = decrypt(key, bound, *sealed);
  }
  if (!plain) return std::nullopt;
  std::string_view rest = *plain;
  if (take_number<std::uint64_t>(rest) <= now_ms) return std::nullopt;
  SuspendedState suspended;
  suspended.round = take_number<std::uint32_t>(rest);
  suspended.version = take_number<std::uint32_t>(rest);
  for (std::string* part : {&suspended.state, &suspended.questions, &suspended.answers}) {
    const auto bytes = take_number<std::uint64_t>(rest);
    part->assign(rest.substr(0, bytes));  // which nobody can have altered
    rest.remove_prefix(bytes);
  }
  return suspended;
}

}  // namespace collet::registry
