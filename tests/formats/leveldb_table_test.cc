#include "formats/leveldb_table.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/error_code.h"
#include "tests/formats/tensorflow_files.h"

using namespace swinzoo;

namespace {

KeyValues read(const std::string& table) {
  KeyValues entries;
  for (const TableEntry& entry : read_leveldb_table(std::as_bytes(std::span(table)))) {
    entries.emplace_back(entry.key,
                         std::string(reinterpret_cast<const char*>(entry.value.data()), entry.value.size()));
  }
  return entries;
}

std::optional<ErrorCode> code_of_reading(const std::string& table) {
  return code_of([&] { read(table); });
}

// A table of one data block and an index block given as they are.
std::string table_of(const std::string& data_block, const std::string& index_block) {
  return data_block + index_block +
         table_footer(block_handle(0, data_block.size() - 5),
                      block_handle(data_block.size(), index_block.size() - 5));
}

const KeyValues kEntries = {{"", "header"}, {"a/b", "1"}, {"a/bc", ""}, {"a/c", "22"}, {"b", "333"}};

}  // namespace

TEST_CASE("tables are read, whatever their blocks") {
  for (size_t entries_a_block = 1; entries_a_block <= 6; ++entries_a_block) {
    CHECK(read(make_table(kEntries, entries_a_block)) == kEntries);
  }
  CHECK(read(make_table({})).empty());
}

TEST_CASE("a table of every shorter length is refused") {
  const std::string table = make_table(kEntries);
  for (size_t length = 0; length < table.size(); ++length) {
    INFO(length);
    CHECK(code_of_reading(table.substr(0, length)) == ErrorCode::kCorrupt);
    CHECK(code_of_reading(table.substr(table.size() - length)) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a flipped bit in a table is noticed, or changes nothing") {
  const std::string table = make_table(kEntries);
  for (size_t bit = 0; bit < table.size() * 8; ++bit) {
    std::string damaged = table;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    INFO(bit);
    const auto code = code_of_reading(damaged);
    // Only the footer has bytes without a checksum: its padding, and the handle of a block nobody needs.
    if (!code) CHECK((bit / 8 >= table.size() - 48 && read(damaged) == kEntries));
    if (code) CHECK(code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("tables of random bytes under right checksums do not hurt") {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string noise(random() % 40, '\0');
    for (char& c : noise) c = static_cast<char>(random() % (round % 2 == 0 ? 256 : 12));
    const std::string block = table_block(noise);
    const std::string index =
        round % 3 == 0 ? block : table_block(table_entry(0, "k", block_handle(0, block.size() - 5)));
    const auto code = code_of_reading(table_of(block, index));
    CHECK((!code || code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported));
  }
}

TEST_CASE("handles that lie are refused") {
  const std::string block = table_block(table_entry(0, "k", "v"));
  const auto with_handle = [&](const std::string& handle) {
    return table_of(block, table_block(table_entry(0, "k", handle)));
  };
  CHECK_FALSE(code_of_reading(with_handle(block_handle(0, block.size() - 5))));
  CHECK(code_of_reading(with_handle(block_handle(0, uint64_t{1} << 62))) == ErrorCode::kCorrupt);
  CHECK(code_of_reading(with_handle(block_handle(UINT64_MAX, 1))) == ErrorCode::kCorrupt);
  CHECK(code_of_reading(with_handle(block_handle(1, UINT64_MAX))) == ErrorCode::kCorrupt);
  CHECK(code_of_reading(with_handle(block_handle(0, 0))) == ErrorCode::kCorrupt);
  CHECK(code_of_reading(with_handle("")) == ErrorCode::kCorrupt);
  CHECK(code_of_reading(with_handle(std::string(11, '\xff'))) == ErrorCode::kCorrupt);
}

TEST_CASE("a data block that stands twice in the index is refused") {
  const std::string block = table_block("");
  const std::string entry = table_entry(0, "k", block_handle(0, block.size() - 5));
  CHECK_FALSE(code_of_reading(table_of(block, table_block(entry))));
  CHECK(code_of_reading(table_of(block, table_block(entry + entry))) == ErrorCode::kCorrupt);
}

TEST_CASE("compressed blocks are refused by name") {
  const std::string index = table_block(table_entry(0, "k", block_handle(0, 12)));
  CHECK_THROWS_WITH(read(table_of(table_block("abcd", 1), index)), Catch::Contains("snappy"));
  CHECK(code_of_reading(table_of(table_block("abcd", 1), index)) == ErrorCode::kUnsupported);
  CHECK(code_of_reading(table_of(table_block("abcd", 9), index)) == ErrorCode::kCorrupt);
}

TEST_CASE("keys that repeat, fall or share too much are refused") {
  const auto code_of_block = [](const std::string& entries) {
    const std::string block = table_block(entries);
    return code_of_reading(
        table_of(block, table_block(table_entry(0, "k", block_handle(0, block.size() - 5)))));
  };
  CHECK_FALSE(code_of_block(table_entry(0, "a", "") + table_entry(1, "b", "")));
  CHECK(code_of_block(table_entry(0, "a", "") + table_entry(0, "a", "")) == ErrorCode::kCorrupt);
  CHECK(code_of_block(table_entry(0, "b", "") + table_entry(0, "a", "")) == ErrorCode::kCorrupt);
  CHECK(code_of_block(table_entry(0, "a", "") + table_entry(2, "b", "")) == ErrorCode::kCorrupt);
  CHECK(code_of_block(varint(0) + varint(UINT64_MAX) + varint(0)) == ErrorCode::kCorrupt);
  CHECK(code_of_block(varint(0) + varint(1) + varint(UINT64_MAX) + "a") == ErrorCode::kCorrupt);
}

TEST_CASE("a small table that spells out very long keys is refused") {
  const std::string prefix(1 << 20, 'a');
  std::string entries = table_entry(0, prefix, "");
  for (int i = 0; i < 100; ++i) {
    entries += table_entry(prefix.size() + static_cast<size_t>(i), "b", "");
  }
  const std::string block = table_block(entries);
  const std::string table =
      table_of(block, table_block(table_entry(0, "k", block_handle(0, block.size() - 5))));
  CHECK(code_of_reading(table) == ErrorCode::kUnsupported);
}
