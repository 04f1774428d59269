#include "formats/sharded.h"

#include "formats/json.h"
#include "formats/safetensors.h"
#include "tests/formats/bad_files.h"

using namespace swinzoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

// A folder of shards, each with tensors of one float, and an index.
class Folder {
 public:
  using Metadata = std::map<std::string, std::string>;

  void shard(const std::string& file, const std::vector<std::string>& names,
             const Metadata& metadata = {}) const {
    std::vector<TensorInfo> infos;
    for (const std::string& name : names) infos.push_back({name, DType::kF32, {1}});
    SafetensorsWriter writer(folder_.path() / file, infos, metadata);
    for (const std::string& name : names) {
      Tensor value(DType::kF32, {1});
      value.as<float>()[0] = static_cast<float>(name.front());
      writer.write(value.view());
    }
    writer.commit();
  }

  Refusal refusal(const std::string& index) const { return refusal_of(write_index(index)); }

  fs::path write_index(const std::string& text) const {
    write_file(path(), text);
    return path();
  }
  fs::path path() const { return folder_.path() / "model.safetensors.index.json"; }

 private:
  TemporaryFolder folder_;
};

constexpr const char* kIndex =
    R"({"metadata": {"total_size": 12}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "1.safetensors"}})";

}  // namespace

TEST_CASE("shards are read as one checkpoint") {
  const Folder folder;
  folder.shard("1.safetensors", {"c", "a"}, {{"format", "pt"}, {"part", "1"}});
  folder.shard("2.safetensors", {"b"}, {{"format", "pt"}, {"part", "2"}, {"more", "x"}});
  const auto checkpoint = open_checkpoint(folder.write_index(kIndex));
  CHECK(checkpoint->format() == "sharded safetensors");
  CHECK(checkpoint->metadata() == std::map<std::string, std::string>{{"format", "pt"}});
  std::string names;
  for (size_t i = 0; i < checkpoint->tensors().size(); ++i) {
    const std::string& name = checkpoint->tensors()[i].name;
    names += name;
    Tensor scratch;
    CHECK(checkpoint->read(i, scratch).as<float>()[0] == static_cast<float>(name.front()));
    checkpoint->release(i);
  }
  CHECK(names == "cab");
}

TEST_CASE("shards may be of any format of one file") {
  const Folder folder;
  const auto plain = open_checkpoint(made_file("plain.pth"));
  json::object map;
  for (const TensorInfo& tensor : plain->tensors()) map[tensor.name] = "1.bin";
  const fs::path index = folder.write_index(to_json_line(json::object{{"weight_map", map}}));
  fs::copy_file(made_file("plain.pth"), index.parent_path() / "1.bin");
  CHECK(open_checkpoint(index)->format() == "sharded pytorch");
  check_same_tensors(index, made_file("plain.pth"));
}

TEST_CASE("shards that do not agree with their index are refused by name") {
  const Folder folder;
  folder.shard("1.safetensors", {"a", "c"});
  folder.shard("2.safetensors", {"b"});
  const auto check = [&](const std::string& index, ErrorCode code, const std::string& said) {
    const Refusal refusal = folder.refusal(index);
    INFO(index << ": " << refusal.message);
    CHECK(refusal.code == code);
    CHECK_THAT(refusal.message, Contains(folder.path().string()) && Contains(said));
  };
  const auto map = [](const std::string& rows) { return "{\"weight_map\": {" + rows + "}}"; };
  CHECK(folder.refusal(kIndex).code == ErrorCode{0});
  check(map(R"("a": "1.safetensors", "c": "1.safetensors", "b": "3.safetensors", "d": "4.safetensors")"),
        ErrorCode::kNotFound, "2 of its 3 shards are not there: 3.safetensors, 4.safetensors");
  check(map(R"("a": "1.safetensors", "b": "2.safetensors")"), ErrorCode::kCorrupt,
        "1 tensors that the index does not name: c in 1.safetensors");
  check(map(R"("a": "1.safetensors", "b": "2.safetensors", "c": "1.safetensors", "d": "2.safetensors")"),
        ErrorCode::kCorrupt, "1 tensors that the shards don't hold: d of 2.safetensors");
  check(map(R"("a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors")"), ErrorCode::kCorrupt,
        "c in 1.safetensors instead of 2.safetensors");
  check(map(R"("a": "1.safetensors", "b": "2.safetensors", "c": "1.safetensors", "a": "2.safetensors")"),
        ErrorCode::kCorrupt, "the key \"a\" twice");
  for (const char* name :
       {"../1.safetensors", "/etc/passwd", "", ".", "..", "x/1.safetensors", R"(x\\y)", R"(1\u0000)"}) {
    check(map(R"("a": ")" + std::string(name) + '"'), ErrorCode::kCorrupt, "no plain file name");
  }
  check(map(""), ErrorCode::kCorrupt, "weight_map is empty");
  check(map(R"("a": 7)"), ErrorCode::kCorrupt, "expected a string");
  check("{}", ErrorCode::kCorrupt, "has no weight_map");
  check(R"({"weight_map": []})", ErrorCode::kCorrupt, "expected an object");
  check(map(R"("a": "model.safetensors.index.json")"), ErrorCode::kUnsupported,
        "no checkpoint of a known format");
}

TEST_CASE("a tensor that two shards hold is refused") {
  const Folder folder;
  folder.shard("1.safetensors", {"a", "c"});
  folder.shard("2.safetensors", {"b", "c"});
  const Refusal refusal = folder.refusal(kIndex);
  CHECK(refusal.code == ErrorCode::kCorrupt);
  CHECK_THAT(refusal.message, Contains("c in 2.safetensors instead of 1.safetensors"));
}

TEST_CASE("a damaged shard names itself and every truncated index is refused") {
  const Folder folder;
  folder.shard("1.safetensors", {"a", "c"});
  folder.shard("2.safetensors", {"b"});
  const std::string text = kIndex;
  for (size_t length = 0; length < text.size(); ++length) {
    REQUIRE(folder.refusal(text.substr(0, length)).code != ErrorCode{0});
  }
  fs::resize_file(folder.path().parent_path() / "2.safetensors", 60);
  CHECK(folder.refusal(kIndex).code == ErrorCode::kCorrupt);
  CHECK_THAT(folder.refusal(kIndex).message, Contains("2.safetensors: damaged"));
}
