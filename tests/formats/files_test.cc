// mapped_file, atomic_file and sha256.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <thread>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/mapped_file.h"
#include "formats/safetensors.h"
#include "formats/sha256.h"
#include "tests/error_code.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;

namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

TEST_CASE("a range of a file is checked without wrapping") {
  const std::string text = "0123456789";
  const auto bytes = bytes_of(text);
  CHECK(text_of(checked_range(bytes, 2, 3, "it")) == "234");
  CHECK(checked_range(bytes, 10, 0, "it").empty());
  CHECK(checked_range(bytes, 0, 10, "it").size() == 10);
  for (const auto& range : std::vector<std::pair<uint64_t, uint64_t>>{{0, 11},
                                                                      {11, 0},
                                                                      {1, UINT64_MAX},
                                                                      {UINT64_MAX, 1},
                                                                      {UINT64_MAX, UINT64_MAX},
                                                                      {5, UINT64_MAX - 4}}) {
    CHECK(code_of([&] { checked_range(bytes, range.first, range.second, "the tail"); }) ==
          ErrorCode::kCorrupt);
  }
  CHECK_THROWS_WITH(checked_range(bytes, 4, 9, "the tail"), Catch::Contains("the tail") &&
                                                                Catch::Contains("9 bytes at offset 4") &&
                                                                Catch::Contains("10"));
}

TEST_CASE("mapped files give their bytes and releasing loses none") {
  const TemporaryFolder folder;
  const std::string text(100'000, 'x');
  write_file(folder.path() / "a", text);
  const MappedFile file(folder.path() / "a");
  CHECK(text_of(file.bytes()) == text);
  file.release(file.bytes());
  file.release(file.bytes().subspan(1, 7));
  CHECK(text_of(file.bytes()) == text);
  fs::remove(folder.path() / "a");
  CHECK(text_of(file.bytes()) == text);
}

TEST_CASE("an empty file maps to no bytes; a missing one and a folder are errors that name them") {
  const TemporaryFolder folder;
  write_file(folder.path() / "empty", "");
  CHECK(MappedFile(folder.path() / "empty").bytes().empty());
  CHECK(code_of([&] { MappedFile(folder.path() / "none"); }) == ErrorCode::kNotFound);
  CHECK(code_of([&] { MappedFile(folder.path()); }) == ErrorCode::kFailed);
  CHECK_THROWS_WITH(MappedFile(folder.path() / "none"), Catch::Contains((folder.path() / "none").string()));
  CHECK_THROWS_WITH(MappedFile(folder.path()), Catch::Contains(folder.path().string()));
}

TEST_CASE("an atomic file appears with commit; its folder is created") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "new" / "deep" / "file";
  AtomicFile file(target);
  file.write("hello world");
  file.write_at(6, "there");
  CHECK_FALSE(fs::exists(target));
  file.commit();
  CHECK(read_text(target) == "hello there");
  CHECK(files_in(target.parent_path()) == 1);
  write_file(target, "again");
  CHECK(read_text(target) == "again");
}

TEST_CASE("an atomic file that is given up leaves its target and nothing else") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "file";
  write_file(target, "before");
  const auto give_up = [&] {
    AtomicFile file(target);
    file.write("half of the new con");
    fail(ErrorCode::kNetwork, "gone");
  };
  CHECK(code_of(give_up) == ErrorCode::kNetwork);
  CHECK(read_text(target) == "before");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("an atomic file that can't be put in place leaves nothing") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "taken" / "inside");
  CHECK(code_of([&] { write_file(folder.path() / "taken", "x"); }) == ErrorCode::kFailed);
  CHECK(files_in(folder.path()) == 1);
  write_file(folder.path() / "file", "x");
  CHECK_THROWS_WITH(write_file(folder.path() / "file" / "below", "x"),
                    Catch::Contains((folder.path() / "file").string()));
  CHECK(code_of([&] { write_file("/proc/no-such-folder/file", "x"); }) != std::nullopt);
}

TEST_CASE("an atomic file follows links: what they point at is replaced, or made, and they stay") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "there" / "file", link = folder.path() / "link";
  fs::create_directory(folder.path() / "there");
  fs::create_symlink("there/file", folder.path() / "middle");
  fs::create_symlink(folder.path() / "middle", link);
  for (const char* text : {"made", "replaced"}) {
    write_file(link, text);
    CHECK(read_text(target) == text);
    CHECK(fs::is_symlink(link));
    CHECK(fs::is_symlink(folder.path() / "middle"));
    CHECK(files_in(folder.path()) == 3);
    CHECK(files_in(target.parent_path()) == 1);
  }
  AtomicFile file(link);
  CHECK(file.temporary().parent_path() == target.parent_path());
  fs::create_symlink("round", folder.path() / "round");
  CHECK(code_of([&] { write_file(folder.path() / "round", "x"); }) == ErrorCode::kFailed);
}

TEST_CASE("a file that is written again keeps its permissions") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "file";
  write_file(target, "before");
  fs::permissions(target, fs::perms(0640));
  write_file(target, "after");
  CHECK(read_text(target) == "after");
  CHECK(fs::status(target).permissions() == fs::perms(0640));
}

TEST_CASE("a pipe is written, and stays a pipe") {
  const TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  REQUIRE_FALSE(is_special_file(folder.path()));
  REQUIRE_FALSE(is_special_file(folder.path() / "none"));
  REQUIRE(is_special_file(pipe));
  fs::create_symlink("pipe", folder.path() / "link");
  for (const char* name : {"pipe", "link"}) {
    std::string found;
    std::thread reader([&] { found = read_text(pipe); });
    write_file(folder.path() / name, "through it");
    reader.join();
    CHECK(found == "through it");
    CHECK(is_special_file(folder.path() / name));
    CHECK(files_in(folder.path()) == 2);
  }
}

TEST_CASE("a device is written, and stays a device; a full one is a full disk") {
  const TemporaryFolder folder;
  const fs::path null = folder.path() / "null", full = folder.path() / "full";
  if (::mknod(null.c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0 ||
      ::mknod(full.c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0) {
    WARN("only root makes devices: not tested");
    return;
  }
  if (const int fd = ::open(null.c_str(), O_WRONLY); fd >= 0) {
    ::close(fd);
  } else {
    WARN("devices don't work in " << folder.path() << ": not tested");
    return;
  }
  write_file(null, "gone");
  CHECK(code_of([&] { write_file(full, "no room"); }) == ErrorCode::kDiskFull);
  CHECK(fs::is_character_file(null));
  CHECK(fs::is_character_file(full));
  CHECK(files_in(folder.path()) == 2);
  CHECK(code_of([&] { SafetensorsWriter(null, {}, {}); }) == ErrorCode::kUsage);
  CHECK(fs::is_character_file(null));
}

TEST_CASE("a write that the system refuses leaves the target and nothing else") {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "file";
  write_file(target, "before");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {  // a limit on the file's size stands for a disk that is full
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    try {
      write_file(target, std::string(5000, 'x'));
      ::_exit(0);
    } catch (const Error& error) {
      ::_exit(static_cast<int>(error.code()));
    }
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == static_cast<int>(ErrorCode::kDiskFull)));
  CHECK(read_text(target) == "before");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("system errors have codes and say file and reason") {
  const auto code_for = [](int number) {
    return code_of([&] {
      errno = number;
      fail_errno("cannot be written", "/some/file");
    });
  };
  CHECK(code_for(ENOSPC) == ErrorCode::kDiskFull);
  CHECK(code_for(EDQUOT) == ErrorCode::kDiskFull);
  CHECK(code_for(EFBIG) == ErrorCode::kDiskFull);
  CHECK(code_for(ENOENT) == ErrorCode::kNotFound);
  CHECK(code_for(EACCES) == ErrorCode::kFailed);
  errno = ENOSPC;
  CHECK_THROWS_WITH(fail_errno("cannot be written", "/some/file"),
                    "/some/file: cannot be written: No space left on device");
}

TEST_CASE("SHA-256 is FIPS 180-2's") {
  const std::string abc = "abc";
  CHECK(sha256_hex(bytes_of(abc)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 piecewise;
  piecewise.update(bytes_of(abc).first(1));
  piecewise.update({});
  piecewise.update(bytes_of(abc).last(2));
  CHECK(piecewise.hex() == sha256_hex(bytes_of(abc)));
}

TEST_CASE("SHA-256 of a file is that of its bytes") {
  const TemporaryFolder folder;
  const std::string text((1 << 20) * 2 + 17, 'q');  // more than two pieces
  write_file(folder.path() / "a", text);
  CHECK(sha256_of_file(folder.path() / "a") == sha256_hex(bytes_of(text)));
  CHECK(code_of([&] { sha256_of_file(folder.path() / "none"); }) == ErrorCode::kNotFound);
  CHECK(code_of([&] { sha256_of_file(folder.path()); }) == ErrorCode::kFailed);
}
