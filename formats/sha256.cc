#include "formats/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <vector>

#include "formats/error.h"

namespace swinzoo {

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
    fail(ErrorCode::kFailed, "OpenSSL has no SHA-256");
  }
}

void Sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1)
    fail(ErrorCode::kFailed, "SHA-256 failed");
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  if (EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1)
    fail(ErrorCode::kFailed, "SHA-256 failed");
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) fail_errno("cannot be opened", path.string());
  Sha256 digest;
  std::vector<std::byte> piece(1 << 20);
  while (const size_t count = std::fread(piece.data(), 1, piece.size(), file.get())) {
    digest.update(std::span(piece).first(count));
  }
  if (std::ferror(file.get()) != 0) fail_errno("cannot be read", path.string());
  return digest.hex();
}

}  // namespace swinzoo
