#include "zoo/partial_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "formats/error.h"
#include "formats/number.h"
#include "formats/write_all.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMagic = "swinzoo download 1";
constexpr uint64_t kMaxSize = uint64_t{1} << 50;
constexpr size_t kMaxLine = 4096;
constexpr const char* kCannotBeWritten = "can't be written";

void append_line(int fd, const std::string& line, const fs::path& path) {
  const std::string whole = line + "\n";
  write_all(fd, std::as_bytes(std::span(whole)), std::nullopt, kCannotBeWritten, path);
}

std::optional<BlockDigest> parse_digest(std::string_view text) {
  BlockDigest digest;
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    unsigned value = 0;
    const char* const first = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(first, first + 2, value, 16);
    if (error != std::errc() || end != first + 2) return std::nullopt;
    digest[i] = static_cast<std::byte>(value);
  }
  return digest;
}

uint64_t blocks_of(uint64_t size) { return (size + kBlock - 1) / kBlock; }

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

BlockDigest digest_of_block(std::span<const std::byte> bytes) {
  BlockDigest digest;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                 EVP_sha256(), nullptr) != 1) {
    fail(ErrorCode::kFailed, "OpenSSL has no SHA-256");
  }
  return digest;
}

PartialFile::PartialFile(fs::path path, std::string url)
    : path_(std::move(path)), journal_path_(path_.string() + ".journal"), url_(std::move(url)) {}

PartialFile::~PartialFile() {
  if (fd_ >= 0 && !is_kept_) discard();
  close_if_open(fd_);
  close_if_open(journal_fd_);
}

bool PartialFile::take_journal_line(const std::string& line, size_t number) {
  if (number == 0) return line == kMagic;
  if (number == 1) return line == "url " + url_;
  if (number == 2) {
    const auto size = line.starts_with("size ") ? whole_number<uint64_t>(line.substr(5)) : std::nullopt;
    if (!size || *size > kMaxSize || (size_ && *size_ != *size)) return false;
    size_ = size;
    claims_.resize(blocks_of(*size));
    return true;
  }
  if (line.starts_with("etag ")) {
    etag_ = line.substr(5);
    return true;
  }
  const size_t space = line.find(' ');
  const auto block = whole_number<uint64_t>(line.substr(0, space));
  const auto digest =
      space == std::string::npos ? std::nullopt : parse_digest(std::string_view(line).substr(space + 1));
  if (!block || !digest || *block >= claims_.size()) return false;
  claims_[*block] = digest;
  return true;
}

// Reads lines as long as they are good, and cuts off what follows, so that whole lines can be appended.
bool PartialFile::read_journal(std::optional<uint64_t> size) {
  size_ = size;
  std::ifstream journal(journal_path_, std::ios::binary);
  uint64_t good = 0;
  size_t number = 0;
  for (std::string line; std::getline(journal, line) && !journal.eof(); ++number) {
    if (line.size() > kMaxLine || !take_journal_line(line, number)) break;
    good += line.size() + 1;
  }
  struct stat status;
  return number >= 3 && ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) &&
         static_cast<uint64_t>(status.st_size) <= *size_ &&
         ::ftruncate(fd_, static_cast<off_t>(*size_)) == 0 &&
         ::truncate(journal_path_.c_str(), static_cast<off_t>(good)) == 0;
}

bool PartialFile::resume(std::optional<uint64_t> size) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd_ < 0) return false;
  if (read_journal(size)) {
    journal_fd_ = ::open(journal_path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  }
  is_kept_ = journal_fd_ >= 0;
  if (is_kept_) return true;
  close_if_open(fd_);
  size_.reset();
  etag_.clear();
  claims_.clear();
  return false;
}

void PartialFile::open_journal() {
  if (!size_ || *size_ < kSmallFile) {
    close_if_open(journal_fd_);
    ::unlink(journal_path_.c_str());
    return;
  }
  if (journal_fd_ < 0) {
    journal_fd_ = ::open(journal_path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (journal_fd_ < 0) fail_errno(kCannotBeWritten, journal_path_.string());
  }
  if (::ftruncate(journal_fd_, 0) != 0) fail_errno(kCannotBeWritten, journal_path_.string());
  append_line(journal_fd_, fmt::format("{}\nurl {}\nsize {}", kMagic, url_, *size_), journal_path_);
}

void PartialFile::restart(std::optional<uint64_t> size) {
  if (fd_ < 0) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd_ < 0) fail_errno(kCannotBeWritten, path_.string());
  }
  is_kept_ = false;
  size_ = size;
  etag_.clear();
  claims_.clear();
  // The journal first: it must never name blocks of another file.
  if (journal_fd_ >= 0 && ::ftruncate(journal_fd_, 0) != 0)
    fail_errno(kCannotBeWritten, journal_path_.string());
  if (::ftruncate(fd_, 0) != 0 || ::ftruncate(fd_, static_cast<off_t>(size.value_or(0))) != 0) {
    fail_errno(kCannotBeWritten, path_.string());
  }
  open_journal();
}

uint64_t PartialFile::take_over(const fs::path& earlier, uint64_t size,
                                const std::function<bool()>& cancelled) {
  struct stat status;
  if (::lstat(earlier.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  const auto length = static_cast<uint64_t>(status.st_size);
  if (length == 0 || length > size) return 0;
  const int fd = ::open(earlier.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return 0;
  close_if_open(fd_);
  fd_ = fd;
  size_ = size;
  etag_.clear();
  claims_.clear();
  is_kept_ = true;
  // Moved once the journal is there: a kill before leaves it where it was, and as it was.
  open_journal();
  std::vector<std::byte> buffer(kBlock);
  for (uint64_t offset = 0; journal_fd_ >= 0 && offset < length; offset += kBlock) {
    if (cancelled && cancelled()) fail(ErrorCode::kInterrupted, "interrupted");
    const uint64_t block_size = std::min(kBlock, size - offset);
    if (block_size > length - offset) break;
    const auto block = std::span(buffer).first(block_size);
    read(offset, block);
    journal_block(offset / kBlock, digest_of_block(block));
  }
  if (::rename(earlier.c_str(), path_.c_str()) != 0) fail_errno("can't be moved into place", path_.string());
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) fail_errno(kCannotBeWritten, path_.string());
  return length;
}

void PartialFile::set_etag(const std::string& etag) {
  if (etag == etag_) return;
  etag_ = etag;
  if (journal_fd_ >= 0) append_line(journal_fd_, "etag " + etag, journal_path_);
}

void PartialFile::write(uint64_t offset, std::span<const std::byte> bytes) {
  write_all(fd_, bytes, offset, kCannotBeWritten, path_);
}

void PartialFile::journal_block(uint64_t block, const BlockDigest& digest) {
  if (journal_fd_ < 0) return;
  append_line(journal_fd_, fmt::format("{} {:02x}", block, fmt::join(digest, "")), journal_path_);
  is_kept_ = true;
}

void PartialFile::read(uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_errno("can't be read", path_.string());
    if (count == 0) fail(ErrorCode::kFailed, "{}: became shorter while it was downloaded", path_.string());
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

uint64_t PartialFile::bytes_on_disk() const {
  struct stat status;
  return fd_ >= 0 && ::fstat(fd_, &status) == 0 ? static_cast<uint64_t>(status.st_blocks) * 512 : 0;
}

void PartialFile::commit(const fs::path& target) {
  if (::rename(path_.c_str(), target.c_str()) != 0) fail_errno("can't be moved into place", target.string());
  ::unlink(journal_path_.c_str());
  is_kept_ = true;
}

void PartialFile::discard() {
  ::unlink(journal_path_.c_str());
  ::unlink(path_.c_str());
}

}  // namespace swinzoo::zoo
