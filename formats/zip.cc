#include "formats/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

using Bytes = std::span<const std::byte>;

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                   kLocator64 = 0x07064b50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                   kLocator64Bytes = 20, kLongestComment = 0xffff;
constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kEncrypted = 0x0001 | 0x0040 | 0x2000;  // flags: encrypted, strongly, directory too
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr uint64_t kDeflateRatio = 1032;  // https://zlib.net/zlib_tech.html, "Maximum Compression Factor"
constexpr uint64_t kSuspectBytes = 64 << 20, kSuspectRatio = 100;

template <typename T>
T number_at(Bytes bytes, size_t offset) {
  T number;
  std::memcpy(&number, checked_range(bytes, offset, sizeof(T), "a zip header").data(), sizeof(T));
  return number;
}

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// The central directory: where it is, and how many entries it has.
struct Directory {
  uint64_t offset, size, count;
};

// The end record closes the file: its comment is what is left.
size_t find_end(Bytes archive) {
  for (uint64_t comment = 0; comment <= kLongestComment && kEndBytes + comment <= archive.size(); ++comment) {
    const size_t at = archive.size() - kEndBytes - comment;
    if (number_at<uint32_t>(archive, at) == kEnd && number_at<uint16_t>(archive, at + 20) == comment)
      return at;
  }
  fail(ErrorCode::kCorrupt, "no end of a zip archive: truncated, or not one");
}

Directory find_directory(Bytes archive) {
  const size_t end = find_end(archive);
  Directory directory{number_at<uint32_t>(archive, end + 16), number_at<uint32_t>(archive, end + 12),
                      number_at<uint16_t>(archive, end + 10)};
  uint64_t limit = end;
  bool one_part = number_at<uint16_t>(archive, end + 4) == 0 && number_at<uint16_t>(archive, end + 6) == 0 &&
                  number_at<uint16_t>(archive, end + 8) == directory.count;
  if (end >= kLocator64Bytes && number_at<uint32_t>(archive, end - kLocator64Bytes) == kLocator64) {
    const auto end64 = number_at<uint64_t>(archive, end - kLocator64Bytes + 8);
    const Bytes record =
        checked_range(archive.first(end - kLocator64Bytes), end64, kEnd64Bytes, "zip64's end");
    if (number_at<uint32_t>(record, 0) != kEnd64)
      fail(ErrorCode::kCorrupt, "zip64's end is not where it should be");
    directory = {number_at<uint64_t>(record, 48), number_at<uint64_t>(record, 40),
                 number_at<uint64_t>(record, 32)};
    limit = end64;
    one_part = number_at<uint32_t>(record, 16) == 0 && number_at<uint32_t>(record, 20) == 0 &&
               number_at<uint64_t>(record, 24) == directory.count;
  }
  if (!one_part) fail(ErrorCode::kUnsupported, "a zip archive of several parts");
  checked_range(archive.first(limit), directory.offset, directory.size, "the zip directory");
  return directory;
}

// A central header's fields that may be too long for 32 bits.
struct Sizes {
  uint64_t size, stored_size, offset;
};

// Zip64 keeps those fields that are all ones in its extra field, in this order.
void take_zip64(Bytes extra, Sizes& sizes) {
  constexpr uint64_t kElsewhere = 0xffffffff;
  if (sizes.size != kElsewhere && sizes.stored_size != kElsewhere && sizes.offset != kElsewhere) return;
  while (extra.size() >= 4) {
    const auto id = number_at<uint16_t>(extra, 0);
    const Bytes field = checked_range(extra, 4, number_at<uint16_t>(extra, 2), "a zip extra field");
    extra = extra.subspan(4 + field.size());
    if (id != kZip64Extra) continue;
    size_t at = 0;
    for (uint64_t* value : {&sizes.size, &sizes.stored_size, &sizes.offset}) {
      if (*value != kElsewhere) continue;
      *value = number_at<uint64_t>(field, at);
      at += sizeof(uint64_t);
    }
    return;
  }
}

void check_claims(const ZipEntry& entry, uint16_t flags, uint16_t method) {
  if ((flags & kEncrypted) != 0) fail(ErrorCode::kUnsupported, "zip entry {}: is encrypted", entry.name);
  if (method != kStored && method != kDeflated) {
    fail(ErrorCode::kUnsupported, "zip entry {}: compression method {}; stored or deflate is needed",
         entry.name, method);
  }
  if (!entry.deflated && entry.size != entry.stored_size) {
    fail(ErrorCode::kCorrupt, "zip entry {}: stored, but {} bytes are said to be {}", entry.name,
         entry.stored_size, entry.size);
  }
  const uint64_t ratio = entry.size > kSuspectBytes ? kSuspectRatio : kDeflateRatio;
  if (entry.deflated && entry.size / ratio > entry.stored_size) {
    fail(ErrorCode::kCorrupt, "zip entry {}: claims that {} bytes inflate to {}", entry.name,
         entry.stored_size, entry.size);
  }
}

// No byte of the archive belongs to two entries or to an entry and the directory.
void check_overlaps(std::vector<std::pair<uint64_t, uint64_t>> ranges, uint64_t directory) {
  std::sort(ranges.begin(), ranges.end());
  ranges.emplace_back(directory, directory);
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i - 1].second > ranges[i].first) {
      fail(ErrorCode::kCorrupt, "zip entries overlap at offset {}", ranges[i].first);
    }
  }
}

// Inflates one entry into spans, piece by piece.
class Inflater {
 public:
  Inflater(Bytes from, const std::string& name) : from_(from), name_(name) {
    if (::inflateInit2(&stream_, -MAX_WBITS) != Z_OK) fail(ErrorCode::kFailed, "zlib has no memory");
  }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void fill(std::span<std::byte> to) {
    while (!to.empty()) {
      const size_t room = std::min(to.size(), kPiece);
      stream_.next_out = reinterpret_cast<Bytef*>(to.data());
      stream_.avail_out = static_cast<uInt>(room);
      step();
      const size_t made = room - stream_.avail_out;
      if (made == 0) fail(ErrorCode::kCorrupt, "zip entry {}: its deflated bytes end early", name_);
      to = to.subspan(made);
    }
  }

  // The data ends here.
  void finish() {
    Bytef beyond = 0;
    stream_.next_out = &beyond;
    stream_.avail_out = 1;
    while (!ended_ && stream_.avail_out == 1 && (stream_.avail_in != 0 || !from_.empty())) step();
    if (!ended_ || stream_.avail_out != 1 || !from_.empty() || stream_.avail_in != 0) {
      fail(ErrorCode::kCorrupt, "zip entry {}: its deflated bytes are not as long as the directory says",
           name_);
    }
  }

 private:
  static constexpr size_t kPiece = size_t{1} << 30;  // zlib counts in 32 bits

  void step() {
    if (ended_) return;
    if (stream_.avail_in == 0) {
      const size_t piece = std::min(from_.size(), kPiece);
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from_.data()));
      stream_.avail_in = static_cast<uInt>(piece);
      from_ = from_.subspan(piece);
    }
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    ended_ = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      fail(ErrorCode::kCorrupt, "zip entry {}: damaged deflated bytes", name_);
    }
  }

  Bytes from_;
  const std::string& name_;
  z_stream stream_{};
  bool ended_ = false;
};

uint32_t crc_of(uint32_t crc, Bytes bytes) {
  return static_cast<uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void check_crc(const ZipEntry& entry, uint32_t found) {
  if (found != entry.crc32) {
    fail(ErrorCode::kCorrupt, "zip entry {}: its CRC-32 is {:08x}, not {:08x} as the directory says: damaged",
         entry.name, found, entry.crc32);
  }
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> archive) : archive_(archive) {
  const Directory directory = find_directory(archive);
  Bytes rest = archive.subspan(directory.offset, directory.size);
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  while (!rest.empty()) {
    const Bytes header = checked_range(rest, 0, kCentralBytes, "a zip directory entry");
    if (number_at<uint32_t>(header, 0) != kCentral) fail(ErrorCode::kCorrupt, "damaged zip directory");
    const uint64_t name_bytes = number_at<uint16_t>(header, 28),
                   extra_bytes = number_at<uint16_t>(header, 30),
                   comment_bytes = number_at<uint16_t>(header, 32);
    const Bytes name = checked_range(rest, kCentralBytes, name_bytes, "a zip entry's name");
    const Bytes extra = checked_range(rest, kCentralBytes + name_bytes, extra_bytes, "a zip extra field");
    checked_range(rest, kCentralBytes + name_bytes + extra_bytes, comment_bytes, "a zip comment");
    rest = rest.subspan(kCentralBytes + name_bytes + extra_bytes + comment_bytes);

    Sizes sizes{number_at<uint32_t>(header, 24), number_at<uint32_t>(header, 20),
                number_at<uint32_t>(header, 42)};
    take_zip64(extra, sizes);
    ZipEntry entry{std::string(text_of(name)),
                   0,
                   sizes.stored_size,
                   sizes.size,
                   number_at<uint32_t>(header, 16),
                   number_at<uint16_t>(header, 10) == kDeflated};
    check_claims(entry, number_at<uint16_t>(header, 8), number_at<uint16_t>(header, 10));

    const Bytes local = checked_range(archive, sizes.offset, kLocalBytes, entry.name.c_str());
    const uint64_t after = sizes.offset + kLocalBytes;
    const Bytes local_name =
        checked_range(archive, after, number_at<uint16_t>(local, 26), entry.name.c_str());
    if (number_at<uint32_t>(local, 0) != kLocal || text_of(local_name) != entry.name) {
      fail(ErrorCode::kCorrupt, "zip entry {}: its local header is not where it should be", entry.name);
    }
    entry.offset = after + local_name.size() + number_at<uint16_t>(local, 28);
    checked_range(archive, entry.offset, entry.stored_size, entry.name.c_str());
    ranges.emplace_back(sizes.offset, entry.offset + entry.stored_size);
    if (!index_.emplace(entry.name, entries_.size()).second) {
      fail(ErrorCode::kCorrupt, "zip entry {}: stands twice", entry.name);
    }
    entries_.push_back(std::move(entry));
  }
  if (entries_.size() != directory.count) {
    fail(ErrorCode::kCorrupt, "the zip directory has {} entries, not {} as its end says", entries_.size(),
         directory.count);
  }
  check_overlaps(std::move(ranges), directory.offset);
  verified_ = std::vector<std::atomic<bool>>(entries_.size());
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

std::span<const std::byte> ZipArchive::view(const ZipEntry& entry) const {
  assert(!entry.deflated);
  const Bytes bytes = archive_.subspan(entry.offset, entry.stored_size);
  std::atomic<bool>& verified = verified_[static_cast<size_t>(&entry - entries_.data())];
  if (!verified) {
    check_crc(entry, crc_of(0, bytes));
    verified = true;
  }
  return bytes;
}

void ZipArchive::read(const ZipEntry& entry, std::initializer_list<std::span<std::byte>> parts) const {
  uint64_t wanted = 0;
  for (const auto part : parts) wanted += part.size();
  if (wanted > entry.size) {
    fail(ErrorCode::kCorrupt, "zip entry {}: holds {} bytes where {} are needed", entry.name, entry.size,
         wanted);
  }
  const Bytes bytes = archive_.subspan(entry.offset, entry.stored_size);
  uint32_t crc = 0;
  if (entry.deflated) {
    Inflater inflater(bytes, entry.name);
    for (const auto part : parts) {
      inflater.fill(part);
      crc = crc_of(crc, part);
    }
    if (wanted == entry.size) inflater.finish();
  } else {
    uint64_t at = 0;
    for (const auto part : parts) {
      std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), part.size(), part.begin());
      crc = crc_of(crc, part);
      at += part.size();
    }
  }
  if (wanted == entry.size) check_crc(entry, crc);
}

std::vector<std::byte> ZipArchive::read(const ZipEntry& entry, uint64_t limit) const {
  if (entry.size > limit) {
    fail(ErrorCode::kCorrupt, "zip entry {}: holds {} bytes; at most {} are expected", entry.name, entry.size,
         limit);
  }
  std::vector<std::byte> bytes(entry.size);
  read(entry, {bytes});
  return bytes;
}

bool zip_holds(const MappedFile& file, bool (*wanted)(std::string_view name)) {
  try {
    const ZipArchive archive(file.bytes());
    return std::any_of(archive.entries().begin(), archive.entries().end(),
                       [&](const ZipEntry& entry) { return wanted(entry.name); });
  } catch (const Error&) {
    return false;
  }
}

}  // namespace swinzoo
