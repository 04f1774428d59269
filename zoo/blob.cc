#include "zoo/blob.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "formats/error.h"

namespace swinzoo::zoo {
namespace {

// Feeds the whole file, from its start, to `digest`; returns the bytes read.
uint64_t digest_file(int fd, const std::filesystem::path& path, const std::function<bool()>& cancelled,
                     BlobDigest& digest) {
  std::vector<std::byte> buffer(1024 * 1024);
  uint64_t offset = 0;
  for (;;) {
    if (cancelled && cancelled()) fail(ErrorCode::kInterrupted, "interrupted");
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_errno("can't be read", path.string());
    if (count == 0) return offset;
    digest.update(std::span(buffer).first(static_cast<size_t>(count)));
    offset += static_cast<uint64_t>(count);
  }
}

}  // namespace

void BlobDigest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

bool BlobDigest::is_blob_name(const std::string& name) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return (name.size() == 40 || name.size() == 64) && std::all_of(name.begin(), name.end(), is_hex);
}

BlobDigest::BlobDigest(const std::string& name, uint64_t size)
    : name_(name), size_(size), context_(EVP_MD_CTX_new()) {
  restart();
}

void BlobDigest::restart() {
  const bool is_sha256 = name_.size() == 64;
  if (!context_ || EVP_DigestInit_ex(context_.get(), is_sha256 ? EVP_sha256() : EVP_sha1(), nullptr) != 1) {
    fail(ErrorCode::kFailed, "OpenSSL has no {}", is_sha256 ? "SHA-256" : "SHA-1");
  }
  if (is_sha256) return;
  const std::string header = fmt::format("blob {}", size_);
  update(std::as_bytes(std::span(header.c_str(), header.size() + 1)));  // with its \0
}

void BlobDigest::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string BlobDigest::hex() const {
  const std::unique_ptr<evp_md_ctx_st, Free> copy(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned count = 0;
  if (!copy || EVP_MD_CTX_copy_ex(copy.get(), context_.get()) != 1 ||
      EVP_DigestFinal_ex(copy.get(), bytes.data(), &count) != 1) {
    fail(ErrorCode::kFailed, "OpenSSL can't finish a digest");
  }
  std::string text;
  for (unsigned i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

bool BlobDigest::matches() const { return hex() == name_; }

bool blob_is_good(const std::filesystem::path& path, const std::string& name, uint64_t size,
                  const std::function<bool()>& cancelled) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat status;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<uint64_t>(status.st_size) != size) {
    return false;
  }
  BlobDigest digest(name, size);
  return digest_file(fd, path, cancelled, digest) == size && digest.matches();
}

}  // namespace swinzoo::zoo
