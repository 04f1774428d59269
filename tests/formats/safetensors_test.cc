#include "formats/safetensors.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;

namespace {

std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data;
}

class Opener {
 public:
  std::unique_ptr<Checkpoint> open(const std::string& text) {
    write_file(path(), text);
    return open_checkpoint(path());
  }
  std::optional<ErrorCode> code(const std::string& text) {
    return code_of([&] { open(text); });
  }
  fs::path path() const { return folder_.path() / "a.safetensors"; }

 private:
  TemporaryFolder folder_;
};

Tensor counted(DType dtype, const Shape& shape, int first) {
  Tensor tensor(dtype, shape);
  for (std::byte& byte : tensor.bytes()) byte = static_cast<std::byte>(first++);
  return tensor;
}

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::ranges::equal(a, b);
}

constexpr std::array kAllDTypes = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kI64,
                                   DType::kI32, DType::kI16, DType::kI8,  DType::kU8,   DType::kBool};

}  // namespace

TEST_CASE("what the writer writes is read back: dtypes; a scalar; tensors without elements; metadata") {
  const TemporaryFolder folder;
  std::vector<TensorInfo> infos;
  for (const DType dtype : kAllDTypes) infos.push_back({"of " + std::string(name_of(dtype)), dtype, {3, 2}});
  infos.push_back({"scalar", DType::kF64, {}});
  infos.push_back({"none", DType::kF32, {4, 0, 2}});
  infos.push_back({"quotes \" and \xc3\xa9\n", DType::kU8, {1}});
  std::vector<Tensor> tensors;
  for (const TensorInfo& info : infos) tensors.push_back(counted(info.dtype, info.shape, 7));
  const std::map<std::string, std::string> metadata = {{"format", "pt"},
                                                       {"text", "line\n\"quoted\" \xe2\x82\xac"}};

  const fs::path path = folder.path() / "new folder" / "a.safetensors";
  SafetensorsWriter writer(path, infos, metadata);
  for (const Tensor& tensor : tensors) writer.write(tensor.view());
  CHECK_FALSE(fs::exists(path));
  writer.commit();

  const auto file = open_checkpoint(path);
  CHECK(file->format() == "safetensors");
  CHECK(file->metadata() == metadata);
  REQUIRE(file->tensors().size() == infos.size());
  for (size_t i = 0; i < infos.size(); ++i) {
    INFO(infos[i].name);
    CHECK(file->tensors()[i].name == infos[i].name);
    CHECK(file->tensors()[i].dtype == infos[i].dtype);
    CHECK(file->tensors()[i].shape == infos[i].shape);
    CHECK(file->find(infos[i].name) == static_cast<int64_t>(i));
    Tensor scratch;
    const TensorView view = file->read(i, scratch);
    CHECK(view.dtype == infos[i].dtype);
    CHECK(view.shape == infos[i].shape);
    CHECK(same_bytes(view.bytes, tensors[i].bytes()));
    file->release(i);
    CHECK(same_bytes(file->read(i, scratch).bytes, tensors[i].bytes()));
  }
  CHECK(file->find("nothing of the kind") == -1);
}

TEST_CASE("written data starts at a multiple of 64 bytes whatever the header's length") {
  const TemporaryFolder folder;
  for (size_t extra = 0; extra < 130; extra += 7) {
    const fs::path path = folder.path() / "a.safetensors";
    SafetensorsWriter writer(path, {{"x", DType::kF32, {2}}}, {{"pad", std::string(extra, 'p')}});
    writer.write(counted(DType::kF32, {2}, 1).view());
    writer.commit();
    CHECK((fs::file_size(path) - 8) % 64 == 0);
    const auto file = open_checkpoint(path);
    Tensor scratch;
    CHECK(reinterpret_cast<uintptr_t>(file->read(0, scratch).bytes.data()) % 64 == 0);
    CHECK(scratch.bytes().empty());
  }
}

TEST_CASE("metadata may be replaced until commit; a writer that is given up leaves nothing") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.safetensors";
  const Tensor x = counted(DType::kF32, {2}, 1);
  {
    SafetensorsWriter given_up(path, {{"x", DType::kF32, {2}}}, {});
    given_up.write(x.view());
  }
  CHECK(fs::is_empty(folder.path()));
  SafetensorsWriter writer(path, {{"x", DType::kF32, {2}}}, {{"digest", "0000"}, {"other", "kept"}});
  writer.write(x.view());
  writer.replace_metadata("digest", "abcd");
  writer.commit();
  const auto file = open_checkpoint(path);
  CHECK(file->metadata() == std::map<std::string, std::string>{{"digest", "abcd"}, {"other", "kept"}});
  Tensor scratch;
  CHECK(same_bytes(file->read(0, scratch).bytes, x.bytes()));
}

TEST_CASE("tensors that are not aligned in the file are read through the scratch") {
  Opener opener;
  const std::vector<float> values = {1.5f, -2};
  std::string data = "!" + std::string(reinterpret_cast<const char*>(values.data()), 8);
  std::string header = R"({"byte":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                       R"("x":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const auto file = opener.open(file_of(header, data));
  Tensor scratch;
  const TensorView view = file->read(1, scratch);
  CHECK(view.bytes.data() == scratch.bytes().data());
  CHECK(std::ranges::equal(view.as<float>(), values));
}

TEST_CASE("the tensors may lie in the file in another order than in its header") {
  Opener opener;
  const auto file = opener.open(file_of(R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},)"
                                        R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                                        "abb"));
  CHECK(file->tensors()[0].name == "b");
  Tensor scratch;
  CHECK(file->read(1, scratch).bytes[0] == std::byte{'a'});
}

TEST_CASE("files without tensors open") {
  Opener opener;
  CHECK(opener.open(file_of("{}", ""))->tensors().empty());
  CHECK(opener.open(file_of(R"({"__metadata__":{}}   )", ""))->metadata().empty());
}

TEST_CASE("a safetensors file cut at any length is damaged and says which file it is") {
  Opener opener;
  const std::string good =
      file_of(R"({"__metadata__":{"k":"v"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
              R"("y":{"dtype":"I8","shape":[],"data_offsets":[8,9]}})",
              "12345678y");
  REQUIRE(opener.open(good)->tensors().size() == 2);
  for (size_t length = 0; length < good.size(); ++length) {
    INFO(length);
    REQUIRE(opener.code(good.substr(0, length)) == ErrorCode::kCorrupt);
    REQUIRE_THROWS_WITH(open_checkpoint(opener.path()), Catch::Contains(opener.path().string()));
  }
}

TEST_CASE("bad safetensors files are refused with what is wrong") {
  struct Bad {
    const char* what;
    std::string text;
    const char* said;
    ErrorCode code = ErrorCode::kCorrupt;
  };
  const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return fmt::format(R"({{"x":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets);
  };
  const auto two = [](const std::string& a, const std::string& b) {
    return fmt::format(R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":{}}},)"
                       R"("b":{{"dtype":"U8","shape":[4],"data_offsets":{}}}}})",
                       a, b);
  };
  const auto claiming = [](uint64_t length) {
    return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + "{}";
  };
  const std::string f32 = R"("F32")";
  const std::string eight(8, '\0');
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  const std::vector<Bad> all = {
      {"a header of 2^63 bytes", claiming(uint64_t{1} << 63), "9223372036854775808"},
      {"a header of 2^64 - 1 bytes", claiming(UINT64_MAX), "18446744073709551615"},
      {"a header over 100 MB", claiming(100'000'001), "100000001"},
      {"a header longer than the file", claiming(3), "the header claims 3 bytes"},
      {"a header of no bytes", claiming(0), "header"},
      {"no JSON", file_of("{\"x\": nonsense}", ""), "not valid JSON"},
      {"JSON and more", file_of("{} {}", ""), "not valid JSON"},
      {"bytes that are no UTF-8", file_of("{\"\xff\xfe\": 1}", ""), "not valid JSON"},
      {"an array", file_of("[1]", ""), "expected an object"},
      {"a tensor that is no object", file_of(R"({"x": 7})", ""), "x: expected an object"},
      {"deep nesting", file_of(R"({"x": )" + deep + "}", ""), "not valid JSON"},
      {"an unknown dtype", file_of(tensor(R"("F33")", "[2]", "[0,8]"), eight), "'F33'",
       ErrorCode::kUnsupported},
      {"no dtype", file_of(R"({"x":{"shape":[2],"data_offsets":[0,8]}})", eight), "dtype"},
      {"a dtype that is a number", file_of(tensor("32", "[2]", "[0,8]"), eight), "expected a string"},
      {"no shape", file_of(R"({"x":{"dtype":"F32","data_offsets":[0,8]}})", eight), "shape"},
      {"no offsets", file_of(R"({"x":{"dtype":"F32","shape":[2]}})", eight), "data_offsets"},
      {"one offset", file_of(tensor(f32, "[2]", "[8]"), eight), "data_offsets"},
      {"three offsets", file_of(tensor(f32, "[2]", "[0,4,8]"), eight), "data_offsets"},
      {"a negative extent", file_of(tensor(f32, "[-2]", "[0,8]"), eight), "[-2]"},
      {"two negative extents", file_of(tensor(f32, "[-1,-2]", "[0,8]"), eight), "[-1, -2]"},
      {"a fraction as extent", file_of(tensor(f32, "[2.5]", "[0,8]"), eight), "a whole number"},
      {"text as extent", file_of(tensor(f32, R"(["2"])", "[0,8]"), eight), "a whole number"},
      {"an extent over 2^63", file_of(tensor(f32, "[9223372036854775808]", "[0,8]"), eight),
       "a whole number"},
      {"a shape whose product wraps", file_of(tensor(f32, "[4294967296,4294967296]", "[0,8]"), eight),
       "4294967296"},
      {"bytes that wrap to 8", file_of(tensor(f32, "[4611686018427387906]", "[0,8]"), eight),
       "4611686018427387906"},
      {"offsets beyond the end", file_of(tensor(f32, "[3]", "[0,12]"), eight), "x claims 12 bytes"},
      {"huge offsets", file_of(tensor(f32, "[2]", "[9223372036854775800,9223372036854775807]"), eight),
       "x claims"},
      {"an offset over 2^63", file_of(tensor(f32, "[2]", "[0,18446744073709551615]"), eight),
       "a whole number"},
      {"a negative offset", file_of(tensor(f32, "[2]", "[-8,0]"), eight), "data_offsets"},
      {"an end before the begin", file_of(tensor(f32, "[2]", "[8,0]"), eight), "data_offsets"},
      {"a shape of another size", file_of(tensor(f32, "[3]", "[0,8]"), eight), "do not fill 8 bytes"},
      {"overlapping tensors", file_of(two("[0,4]", "[2,6]"), "123456"), "tensor b: starts at 2"},
      {"two tensors in one place", file_of(two("[0,4]", "[0,4]"), "1234"), "starts at 0"},
      {"a hole between tensors", file_of(two("[0,4]", "[5,9]"), "123456789"), "tensor b: starts at 5"},
      {"a hole at the start", file_of(two("[1,5]", "[5,9]"), "123456789"), "tensor a: starts at 1"},
      {"bytes after the last tensor", file_of(tensor(f32, "[2]", "[0,8]"), eight + '!'), "tensors end at 8"},
      {"a name that stands twice",
       file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
               R"("a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
               eight),
       "the key \"a\" twice"},
      {"metadata that stands twice", file_of(R"({"__metadata__": {"k": "1", "k": "2"}})", ""),
       "the key \"k\" twice"},
      {"metadata that is no object", file_of(R"({"__metadata__": []})", ""),
       "__metadata__: expected an object"},
      {"metadata that is no text", file_of(R"({"__metadata__": {"k": 1}})", ""),
       "__metadata__: expected a string"},
  };
  Opener opener;
  for (const Bad& bad : all) {
    INFO(bad.what);
    CHECK(opener.code(bad.text) == bad.code);
    CHECK_THROWS_WITH(open_checkpoint(opener.path()),
                      Catch::Contains(opener.path().string()) && Catch::Contains(bad.said));
  }
}

TEST_CASE("every flipped byte of a header is an error or another good header") {
  const std::string good = file_of(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "12345678");
  Opener opener;
  for (size_t i = 0; i < good.size() - 8; ++i) {
    for (const int mask : {0x01, 0x10, 0x80, 0xff}) {
      std::string text = good;
      text[i] = static_cast<char>(text[i] ^ mask);
      INFO(i << " xor " << mask);
      const auto code = opener.code(text);
      REQUIRE((!code || *code == ErrorCode::kCorrupt || *code == ErrorCode::kUnsupported));
    }
  }
}

TEST_CASE("open_checkpoint tells files by their content and then by their names") {
  const TemporaryFolder folder;
  const std::string good = file_of(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x");
  write_file(folder.path() / "weights", good);
  CHECK(open_checkpoint(folder.path() / "weights")->tensors().size() == 1);
  CHECK(code_of([&] { open_checkpoint(folder.path() / "none.safetensors"); }) == ErrorCode::kNotFound);
  for (const std::string& text : {std::string(), std::string("PK\x03\x04 a zip file"), good.substr(0, 9)}) {
    write_file(folder.path() / "other", text);
    CHECK(code_of([&] { open_checkpoint(folder.path() / "other"); }) == ErrorCode::kUnsupported);
    CHECK_THROWS_WITH(open_checkpoint(folder.path() / "other"), Catch::Contains("other"));
    write_file(folder.path() / "other.safetensors", text);
    CHECK(code_of([&] { open_checkpoint(folder.path() / "other.safetensors"); }) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("tensors that are written in pieces are the same file") {
  const TemporaryFolder folder;
  const std::vector<TensorInfo> infos = {
      {"a", DType::kU8, {7}}, {"none", DType::kF32, {0}}, {"b", DType::kF32, {2}}};
  std::vector<Tensor> tensors;
  for (const TensorInfo& info : infos) tensors.push_back(counted(info.dtype, info.shape, 1));
  SafetensorsWriter whole(folder.path() / "whole", infos, {{"k", "00"}}),
      pieces(folder.path() / "pieces", infos, {{"k", "00"}});
  for (const Tensor& tensor : tensors) whole.write(tensor.view());
  pieces.write_piece(tensors[0].bytes().first(3));
  pieces.write_piece(tensors[0].bytes().subspan(3));
  pieces.write_piece({});
  pieces.write_piece(tensors[2].bytes());
  for (SafetensorsWriter* writer : {&whole, &pieces}) writer->replace_metadata("k", "11");
  const fs::path temporary = pieces.finish();
  CHECK_FALSE(fs::exists(folder.path() / "pieces"));
  CHECK(open_checkpoint(temporary)->metadata().at("k") == "11");
  whole.commit();
  pieces.commit();
  CHECK_FALSE(fs::exists(temporary));
  CHECK(read_text(folder.path() / "pieces") == read_text(folder.path() / "whole"));
}
