#include "formats/tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

constexpr size_t kBlock = 512;

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

void check(archive* a, int status) {
  if (status >= ARCHIVE_WARN) return;
  const char* why = archive_error_string(a);
  fail(ErrorCode::kCorrupt, "it cannot be read: {}", why == nullptr ? "no reason given" : why);
}

std::string name_of(archive_entry* entry) {
  // A name that the locale can't express is there as UTF-8 only.
  const char* text = archive_entry_pathname(entry);
  if (text == nullptr) text = archive_entry_pathname_utf8(entry);
  if (text == nullptr) fail(ErrorCode::kCorrupt, "a member without a readable name");
  return std::filesystem::path(text).lexically_normal().string();
}

// The member's bytes inside `whole`: libarchive hands out pieces of what it was given to read.
std::span<const std::byte> bytes_of(archive* a, archive_entry* entry, const std::string& name,
                                    std::span<const std::byte> whole) {
  const auto size = static_cast<uint64_t>(archive_entry_size(entry));
  if (size == 0) return {};
  const void* data = nullptr;
  size_t piece = 0;
  la_int64_t offset = 0;
  check(a, archive_read_data_block(a, &data, &piece, &offset));
  const auto* start = static_cast<const std::byte*>(data);
  const bool is_inside = std::less_equal<>()(whole.data(), start) &&
                         std::less<>()(start, whole.data() + whole.size()) && offset == 0;
  if (!is_inside) fail(ErrorCode::kFailed, "member '{}' does not stand in one piece", name);
  return checked_range(whole, static_cast<uint64_t>(start - whole.data()), size, name.c_str());
}

std::vector<TarMember> list(std::span<const std::byte> whole) {
  const std::unique_ptr<archive, FreeArchive> owner(archive_read_new());
  archive* a = owner.get();
  if (a == nullptr) fail(ErrorCode::kFailed, "no memory for reading an archive");
  check(a, archive_read_append_filter(a, ARCHIVE_FILTER_NONE));
  check(a, archive_read_support_format_tar(a));
  check(a, archive_read_open_memory(a, whole.data(), whole.size()));

  std::vector<TarMember> members;
  std::set<std::string, std::less<>> names;
  archive_entry* entry = nullptr;
  while (true) {
    const int status = archive_read_next_header(a, &entry);
    if (status == ARCHIVE_EOF) break;
    check(a, status);
    TarMember member{name_of(entry), {}};
    const bool is_link = archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr;
    if (!is_link && archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (is_link || archive_entry_filetype(entry) != AE_IFREG || archive_entry_sparse_count(entry) > 0) {
      fail(ErrorCode::kCorrupt, "member '{}' is a link, a device or a sparse file", member.name);
    }
    member.bytes = bytes_of(a, entry, member.name, whole);
    if (!names.insert(member.name).second) {
      fail(ErrorCode::kCorrupt, "member '{}' stands in it twice", member.name);
    }
    members.push_back(std::move(member));
  }
  // Libarchive takes the end of the file for the archive's end too.
  const auto end = static_cast<uint64_t>(archive_read_header_position(a));
  const bool is_whole =
      end <= whole.size() && whole.size() - end >= kBlock &&
      std::ranges::all_of(whole.subspan(end, kBlock), [](std::byte b) { return b == std::byte{0}; });
  if (!is_whole) {
    fail(ErrorCode::kCorrupt, "it stops after {} files without an archive's end: not all of it is there",
         members.size());
  }
  return members;
}

}  // namespace

std::vector<TarMember> list_tar(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (bytes.size() > 1 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b}) {
    fail(ErrorCode::kUnsupported,
         "{}: a compressed archive, which can't be read in any order; images hardly shrink: gunzip it first",
         file.path().string());
  }
  try {
    return list(bytes);
  } catch (const Error& error) {
    fail(error.code(), "{}: tar archive: {}", file.path().string(), error.what());
  }
}

}  // namespace swinzoo
