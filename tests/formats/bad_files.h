// Files for tests of the readers: bytes made or damaged here, written to a folder and opened as a user would.
#pragma once

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "formats/checkpoint.h"
#include "formats/error.h"
#include "tests/process.h"

namespace swinzoo {

// A file of tests/data/formats.
inline std::filesystem::path made_file(const std::string& name) {
  return std::filesystem::path(SWINZOO_TEST_DATA) / "formats" / name;
}

// A folder with one file in it, whose bytes change.
class OneFile {
 public:
  explicit OneFile(const std::string& name) : path_(folder_.path() / name) {}

  const std::filesystem::path& write(const std::string& bytes) {
    std::filesystem::remove(path_);  // some file systems write out a file that is cut to 0 and filled again
    std::ofstream(path_, std::ios::binary) << bytes;
    return path_;
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_;
};

// Opens the file and reads every tensor.
inline void read_all(const std::filesystem::path& path) {
  const auto checkpoint = open_checkpoint(path);
  Tensor scratch;
  for (size_t i = 0; i < checkpoint->tensors().size(); ++i) {
    const TensorView view = checkpoint->read(i, scratch);
    REQUIRE(view.bytes.size() == static_cast<size_t>(view.size()) * size_of(view.dtype));
    checkpoint->release(i);
  }
}

// An error; code 0 if there was none.
struct Refusal {
  ErrorCode code{0};
  std::string message;
};

// The one that a call gives.
template <typename Call>
Refusal refusal_from(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

// The one that reading the file gives.
inline Refusal refusal_of(const std::filesystem::path& path) {
  return refusal_from([&] { read_all(path); });
}

// Every truncation of a file is refused.
inline void check_truncations(const std::filesystem::path& path) {
  const std::string bytes = read_text(path);
  REQUIRE_FALSE(bytes.empty());
  OneFile file(path.filename());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const Refusal refusal = refusal_of(file.write(bytes.substr(0, length)));
    INFO(path << " cut to " << length << " bytes: " << refusal.message);
    REQUIRE(refusal.code != ErrorCode{0});
  }
}

// Files with one to four bytes changed are read or refused, and no more than that.
inline void check_flips(const std::filesystem::path& path, int files) {
  const std::string bytes = read_text(path);
  REQUIRE_FALSE(bytes.empty());
  OneFile file(path.filename());
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < files; ++i) {
    std::string damaged = bytes;
    for (size_t flips = 1 + random() % 4; flips > 0; --flips) {
      damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    }
    refused += refusal_of(file.write(damaged)).code != ErrorCode{0} ? 1 : 0;
  }
  CHECK(refused > 0);
}

// Both hold the same tensors, bit for bit, whatever their order.
inline void check_same_tensors(const std::filesystem::path& path,
                               const std::filesystem::path& expected_path) {
  INFO(path);
  const auto found = open_checkpoint(path), expected = open_checkpoint(expected_path);
  CHECK(found->tensors().size() == expected->tensors().size());
  Tensor scratch, expected_scratch;
  for (size_t i = 0; i < expected->tensors().size(); ++i) {
    const TensorView want = expected->read(i, expected_scratch);
    const int64_t index = found->find(expected->tensors()[i].name);
    INFO(expected->tensors()[i].name);
    REQUIRE(index >= 0);
    const TensorView have = found->read(static_cast<size_t>(index), scratch);
    CHECK(have.dtype == want.dtype);
    CHECK(have.shape == want.shape);
    REQUIRE(have.bytes.size() == want.bytes.size());
    CHECK((want.bytes.empty() || std::memcmp(have.bytes.data(), want.bytes.data(), want.bytes.size()) == 0));
    CHECK(reinterpret_cast<uintptr_t>(have.bytes.data()) % size_of(have.dtype) == 0);
  }
}

// Makes zip archives, right and wrong. Entries are given as they should look.
class ZipMaker {
 public:
  struct Entry {
    std::string name;
    std::string bytes;  // as they stand in the archive
    uint32_t crc = 0;
    uint32_t size = 0;
    uint16_t method = 0;
    uint16_t flags = 0;
  };

  // Stored, with its CRC.
  static Entry stored(const std::string& name, const std::string& bytes);
  // Deflated, with its CRC.
  static Entry deflated(const std::string& name, const std::string& bytes);

  ZipMaker& add(const Entry& entry);
  // The directory's entry alone: it shares the local header of the one before.
  ZipMaker& add_again(const Entry& entry);
  std::string finish() const;

 private:
  std::string data_, directory_;
  size_t last_ = 0;
  uint16_t count_ = 0;
};

}  // namespace swinzoo
