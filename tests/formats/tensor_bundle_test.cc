#include "formats/tensor_bundle.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "tests/error_code.h"
#include "tests/formats/tensorflow_files.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;

namespace {

// Opens a bundle from memory.
std::unique_ptr<Checkpoint> open(const std::string& index, const std::vector<std::string>& shards) {
  return open_tensor_bundle({"tensor_bundle", file_of(index), {}}, [&](const std::string& suffix) {
    return file_of(shards.at(static_cast<size_t>(std::stoi(suffix.substr(6, 5)))));
  });
}

std::unique_ptr<Checkpoint> open(const MadeBundle& bundle) { return open(bundle.index(), bundle.shards); }

std::vector<float> floats(const Checkpoint& checkpoint, std::string_view name) {
  Tensor scratch;
  const int64_t index = checkpoint.find(name);
  REQUIRE(index >= 0);
  const TensorView view = checkpoint.read(static_cast<size_t>(index), scratch);
  const auto values = view.as<float>();
  return {values.begin(), values.end()};
}

void read_all(const Checkpoint& checkpoint) {
  Tensor scratch;
  for (size_t i = 0; i < checkpoint.tensors().size(); ++i) checkpoint.read(i, scratch);
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// The bundle of one tensor, its entry's bytes given.
MadeBundle with_entry(const std::string& entry) {
  return {{{"", bundle_header(1)}, {"k", entry}}, {std::string(64, '\0')}};
}

std::optional<ErrorCode> code_of_entry(const std::string& entry) {
  return code_of([&] { open(with_entry(entry)); });
}

}  // namespace

TEST_CASE("a bundle's tensors have the names of its object graph") {
  for (const int shards : {1, 3}) {
    const auto checkpoint = open(swin_like_bundle(shards));
    CHECK(checkpoint->format() == "tensor_bundle");
    CHECK(checkpoint->metadata().empty());
    CHECK(checkpoint->tensors().size() == 6);
    CHECK(floats(*checkpoint, "head/kernel") == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(checkpoint->tensors()[static_cast<size_t>(checkpoint->find("head/kernel"))].shape == Shape{2, 3});
    CHECK(floats(*checkpoint, "layers/0/kernel") == std::vector<float>{9, 8, 7, 6});
    CHECK(floats(*checkpoint, "layers/10/kernel") == std::vector<float>{-7});
    CHECK(floats(*checkpoint, "scalar") == std::vector<float>{0.5f});
    CHECK(floats(*checkpoint, "none").empty());
    Tensor scratch;
    const auto index = static_cast<size_t>(checkpoint->find("layers/10/index"));
    const TensorView view = checkpoint->read(index, scratch);
    CHECK(view.as<int64_t>()[1] == int64_t{1} << 40);
    CHECK(reinterpret_cast<uintptr_t>(view.bytes.data()) % 8 == 0);
    checkpoint->release(index);
    CHECK(checkpoint->read(index, scratch).as<int64_t>()[0] == -1);
  }
}

TEST_CASE("NaN and infinity come out of a bundle as they are") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto checkpoint = open(make_bundle({{"k", 1, {2}, f32_bytes({nan, -inf})}}, ""));
  const auto values = floats(*checkpoint, "k");
  CHECK(std::isnan(values[0]));
  CHECK(values[1] == -inf);
}

TEST_CASE("keys without a path and tensors that are no numbers are told") {
  const auto checkpoint = open(make_bundle({{"a", 1, {1}, f32_bytes({1})},
                                            {"b", 1, {1}, f32_bytes({2})},
                                            {"c", 7, {}, string_tensor("text")},
                                            {"d", 8, {1}, std::string(8, '\0')},
                                            {"save_counter", 9, {}, std::string(8, '\1')}},
                                           make_graph({{{{"x", 1}}, {}}, {{}, {{"VARIABLE_VALUE", "a"}}}})));
  CHECK(checkpoint->tensors().size() == 3);
  CHECK(floats(*checkpoint, "x") == std::vector<float>{1});
  CHECK(floats(*checkpoint, "b") == std::vector<float>{2});
  CHECK(checkpoint->metadata().at("keys_without_path") == "b\nsave_counter");
  CHECK(checkpoint->metadata().at("keys_not_read") == "c (dtype 7)\nd (dtype 8)");
}

TEST_CASE("a bundle opens by its index, its shards beside it") {
  const TemporaryFolder folder;
  const MadeBundle bundle = swin_like_bundle(2);
  write(folder.path() / "model.index", bundle.index());
  write(folder.path() / "model.data-00000-of-00002", bundle.shards[0]);
  const auto open_it = [&] { return open_checkpoint(folder.path() / "model.index"); };
  CHECK(code_of(open_it) == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(open_it(), Catch::Contains("model.data-00001-of-00002, which is not there"));
  write(folder.path() / "model.data-00001-of-00002", bundle.shards[1]);
  CHECK(floats(*open_it(), "layers/0/kernel") == std::vector<float>{9, 8, 7, 6});
  write(folder.path() / "model.table", bundle.index());
  CHECK(code_of([&] { open_checkpoint(folder.path() / "model.table"); }) == ErrorCode::kUnsupported);
  write(folder.path() / "model.index", bundle.index().substr(0, 100));
  CHECK(code_of(open_it) == ErrorCode::kCorrupt);
}

TEST_CASE("the index of a real checkpoint lists its tensors") {
  const fs::path path = fs::path(SWINZOO_TEST_DATA) / "formats" / "swin_mini.index";
  const BundleIndex index = read_bundle_index(MappedFile(path).bytes());
  CHECK(index.shards == 1);
  CHECK(index.entries.size() == 122);
  const auto entry_of = [&](const std::string& name) {
    return *std::find_if(index.entries.begin(), index.entries.end(), [&](const BundleEntry& entry) {
      return entry.key == name + "/.ATTRIBUTES/VARIABLE_VALUE";
    });
  };
  CHECK(entry_of("projection/layer_with_weights-0/kernel").shape == Shape{4, 4, 3, 16});
  CHECK(entry_of("swin_layers/3/blocks/1/attn/relative_position_bias_table").shape == Shape{169, 8});
  CHECK(entry_of("swin_layers/0/downsample/reduction/kernel").shape == Shape{64, 32});
  CHECK(entry_of("head/bias").dtype == 1);
  // Its data, 2.3 MB, is not here.
  CHECK(code_of([&] { open_checkpoint(path); }) == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(open_checkpoint(path), Catch::Contains("swin_mini.data-00000-of-00001"));
}

TEST_CASE("a bundle cut at any length is refused") {
  const MadeBundle bundle = swin_like_bundle(1);
  const std::string index = bundle.index(), &data = bundle.shards[0];
  for (size_t length = 0; length < index.size(); ++length) {
    INFO(length);
    CHECK(code_of([&] { open(index.substr(0, length), bundle.shards); }) == ErrorCode::kCorrupt);
  }
  for (size_t length = 0; length < data.size(); ++length) {
    INFO(length);
    CHECK(code_of([&] { open(index, {data.substr(0, length)}); }) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a flipped bit of a bundle's data is noticed") {
  const MadeBundle bundle = swin_like_bundle(1);
  for (size_t bit = 0; bit < bundle.shards[0].size() * 8; ++bit) {
    std::string data = bundle.shards[0];
    data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << bit % 8));
    INFO(bit);
    CHECK(code_of([&] { read_all(*open(bundle.index(), {data})); }) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a wrong checksum names the tensor when it is read, and leaves the others alone") {
  MadeBundle bundle = swin_like_bundle(1);
  bundle.shards[0].back() = static_cast<char>(bundle.shards[0].back() ^ 1);
  const auto checkpoint = open(bundle);
  CHECK(floats(*checkpoint, "scalar") == std::vector<float>{0.5f});
  CHECK_THROWS_WITH(floats(*checkpoint, "layers/0/kernel"), Catch::Contains("layers/0/kernel"));
}

TEST_CASE("bundle entries that lie are refused") {
  const MadeTensor tensor{"k", 1, {4}, f32_bytes({0, 0, 0, 0})};
  CHECK_FALSE(code_of_entry(bundle_entry(tensor, 0, 0)));
  CHECK_FALSE(code_of_entry(bundle_entry(tensor, 48, 0)));
  CHECK(code_of_entry(bundle_entry(tensor, 49, 0)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(bundle_entry(tensor, UINT64_MAX, 0)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(bundle_entry(tensor, uint64_t{1} << 62, 0)) == ErrorCode::kCorrupt);
  const auto with_shape = [](const Shape& shape, uint64_t size, int shard = 0) {
    return proto_number(1, 1) + proto_bytes(2, proto_shape(shape)) +
           proto_number(3, static_cast<uint64_t>(shard)) + proto_number(5, size);
  };
  CHECK_FALSE(code_of_entry(with_shape({4}, 16)));
  CHECK(code_of_entry(with_shape({4}, 12)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(with_shape({-4}, 16)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(with_shape({int64_t{1} << 62}, 0)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(with_shape({int64_t{1} << 40, int64_t{1} << 40}, 16)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(with_shape({4}, UINT64_MAX)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(with_shape({4}, 16, 1)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(with_shape({4}, 16, -1)) == ErrorCode::kCorrupt);
  CHECK(code_of_entry(with_shape({4}, 16) + proto_bytes(7, "")) == ErrorCode::kUnsupported);
  CHECK(code_of_entry(with_shape(Shape(3000, 1), 4)) == ErrorCode::kUnsupported);
  CHECK(code_of_entry(std::string(200, '\x7b')) == ErrorCode::kCorrupt);
}

TEST_CASE("bundle headers that are not ours to read are refused") {
  const auto code = [](const KeyValues& entries) { return code_of([&] { open(make_table(entries), {}); }); };
  CHECK_FALSE(code({{"", bundle_header(1)}}));
  CHECK(code({{"", bundle_header(1, 1)}}) == ErrorCode::kUnsupported);
  CHECK(code({{"", bundle_header(1, 0, 2)}}) == ErrorCode::kUnsupported);
  CHECK(code({{"", bundle_header(0)}}) == ErrorCode::kCorrupt);
  CHECK(code({{"", bundle_header(-1)}}) == ErrorCode::kCorrupt);
  CHECK(code({{"k", ""}}) == ErrorCode::kCorrupt);
  CHECK(code({}) == ErrorCode::kCorrupt);
}

TEST_CASE("an object graph and its bundle have to agree") {
  const std::string graph = make_graph({{{{"x", 1}}, {}}, {{}, {{"VARIABLE_VALUE", "a"}}}});
  CHECK(code_of([&] { open(make_bundle({}, graph)); }) == ErrorCode::kCorrupt);
  // A key without a path that is another tensor's name.
  CHECK(code_of([&] {
          open(make_bundle({{"a", 1, {1}, f32_bytes({1})}, {"x", 1, {1}, f32_bytes({2})}}, graph));
        }) == ErrorCode::kCorrupt);
  MadeBundle number = make_bundle({}, graph);
  number.entries[1].second = bundle_entry({"", 1, {1}, f32_bytes({1})}, 0, 0);
  CHECK(code_of([&] { open(number); }) == ErrorCode::kCorrupt);
}

TEST_CASE("bundles of random entries do not hurt") {
  std::mt19937 random(11);
  const MadeBundle good = swin_like_bundle(1);
  for (int round = 0; round < 3000; ++round) {
    MadeBundle damaged = good;
    std::string& value = damaged.entries[random() % damaged.entries.size()].second;
    value[random() % value.size()] = static_cast<char>(random());
    const auto code = code_of([&] { read_all(*open(damaged)); });
    CHECK((!code || code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported));
  }
  CHECK(floats(*open(good), "head/kernel").size() == 6);
}
