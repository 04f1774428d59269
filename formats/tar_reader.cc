#include "formats/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "formats/error.h"

namespace swinzoo {
namespace {

constexpr int kMostMembers = 10'000;
constexpr size_t kBuffer = 256 * 1024;

}  // namespace

void TarReader::Free::operator()(archive* reader) const { archive_read_free(reader); }

void TarReader::Close::operator()(gzFile_s* file) const { gzclose_r(file); }

TarReader::TarReader(std::span<const std::byte> bytes) : archive_(archive_read_new()) {
  if (!archive_) fail(ErrorCode::kFailed, "no memory for reading an archive");
  // One layer of gzip at most: a filter that is set is not guessed again on what it gives.
  const bool is_gzip = bytes.size() > 1 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
  check(archive_read_append_filter(archive_.get(), is_gzip ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_NONE));
  check(archive_read_support_format_tar(archive_.get()));
  check(archive_read_open_memory(archive_.get(), bytes.data(), bytes.size()));
}

// zlib rather than libarchive's own filter, which leaves gzip's checksum unread.
TarReader::TarReader(int fd) : buffer_(std::make_unique<std::byte[]>(kBuffer)), archive_(archive_read_new()) {
  const int own_fd = ::dup(fd);
  if (own_fd >= 0) file_.reset(gzdopen(own_fd, "rb"));
  if (own_fd >= 0 && !file_) ::close(own_fd);
  if (!archive_ || !file_) fail(ErrorCode::kFailed, "no memory for reading an archive");
  gzbuffer(file_.get(), kBuffer);
  const auto read = [](archive* reader, void* self, const void** data) -> la_ssize_t {
    try {
      const auto bytes = static_cast<TarReader*>(self)->read_file();
      *data = bytes.data();
      return static_cast<la_ssize_t>(bytes.size());
    } catch (const Error& error) {
      archive_set_error(reader, EIO, "%s", error.what());
      return -1;
    }
  };
  check(archive_read_append_filter(archive_.get(), ARCHIVE_FILTER_NONE));
  check(archive_read_support_format_tar(archive_.get()));
  check(archive_read_open(archive_.get(), this, nullptr, read, nullptr));
}

TarReader::~TarReader() = default;

std::span<const std::byte> TarReader::read_file() {
  const int count = gzread(file_.get(), buffer_.get(), kBuffer);
  int error = Z_OK;
  const char* why = gzerror(file_.get(), &error);
  // A file that ends too early is an error only once all that it has was given out.
  if (count < 0 || (count == 0 && error != Z_OK)) fail(ErrorCode::kCorrupt, "gzip: {}", why);
  return {buffer_.get(), static_cast<size_t>(count)};
}

archive_entry* TarReader::next() {
  archive_entry* entry = nullptr;
  done_ = 0;
  const int status = archive_read_next_header(archive_.get(), &entry);
  if (status == ARCHIVE_EOF) {
    while (file_ && !read_file().empty()) {
    }
    return nullptr;
  }
  check(status);
  if (++members_ > kMostMembers) fail(ErrorCode::kCorrupt, "more than {} members", kMostMembers);
  return entry;
}

std::span<const std::byte> TarReader::read() {
  const void* data = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  const int status = archive_read_data_block(archive_.get(), &data, &size, &offset);
  if (status == ARCHIVE_EOF) return {};
  check(status);
  if (static_cast<uint64_t>(offset) != done_) fail(ErrorCode::kCorrupt, "a member with holes");
  done_ += size;
  return {static_cast<const std::byte*>(data), size};
}

uint64_t TarReader::position() const { return static_cast<uint64_t>(gzoffset(file_.get())); }

void TarReader::check(int status) {
  if (status >= ARCHIVE_WARN) return;
  const char* why = archive_error_string(archive_.get());
  fail(ErrorCode::kCorrupt, "it cannot be read: {}", why == nullptr ? "no reason given" : why);
}

std::string checked_member_name(archive_entry* entry) {
  const char* text = archive_entry_pathname(entry);
  if (text == nullptr) fail(ErrorCode::kCorrupt, "a member without a readable name");
  const std::filesystem::path path(text);
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end()) {
    fail(ErrorCode::kCorrupt, "member '{}' lies outside the archive", text);
  }
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr ||
      (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != AE_IFDIR)) {
    fail(ErrorCode::kCorrupt, "member '{}' is a link or a device", text);
  }
  return path.lexically_normal().string();
}

bool looks_like_tar(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr size_t kTarMagic = 257;
  return text.starts_with("\x1f\x8b\x08") ||
         (text.size() > kTarMagic && text.substr(kTarMagic).starts_with("ustar"));
}

}  // namespace swinzoo
