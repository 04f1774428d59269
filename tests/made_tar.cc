#include "tests/made_tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <catch2/catch.hpp>

namespace swinzoo {

std::string make_tar(const std::vector<Member>& members, bool gzip) {
  size_t room = 1 << 16;
  for (const Member& member : members) room += member.bytes.size() + 4096;
  std::string tar(room, '\0');
  size_t used = 0;
  archive* writer = archive_write_new();
  REQUIRE(archive_write_set_format_pax_restricted(writer) == ARCHIVE_OK);
  if (gzip) REQUIRE(archive_write_add_filter_gzip(writer) == ARCHIVE_OK);
  REQUIRE(archive_write_set_bytes_per_block(writer, 0) == ARCHIVE_OK);
  REQUIRE(archive_write_open_memory(writer, tar.data(), tar.size(), &used) == ARCHIVE_OK);
  for (const Member& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.path.c_str());
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, AE_IFREG);
    if (member.type == 'd') archive_entry_set_filetype(entry, AE_IFDIR);
    if (member.type == 'c') archive_entry_set_filetype(entry, AE_IFCHR);
    if (member.type == 'p') archive_entry_set_filetype(entry, AE_IFIFO);
    if (member.type == 'h') archive_entry_set_hardlink(entry, member.bytes.c_str());
    if (member.type == 's') {
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_symlink(entry, member.bytes.c_str());
    }
    const size_t size = member.type == 'f' ? member.bytes.size() : 0;
    archive_entry_set_size(entry, static_cast<la_int64_t>(size));
    REQUIRE(archive_write_header(writer, entry) == ARCHIVE_OK);
    REQUIRE(archive_write_data(writer, member.bytes.data(), size) == static_cast<la_ssize_t>(size));
    archive_entry_free(entry);
  }
  REQUIRE(archive_write_close(writer) == ARCHIVE_OK);
  archive_write_free(writer);
  tar.resize(used);
  return tar;
}

}  // namespace swinzoo
