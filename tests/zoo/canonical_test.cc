#include "zoo/canonical.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "formats/sha256.h"
#include "tests/error_code.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "zoo/architecture.h"
#include "zoo/model.h"
#include "zoo/spec_json.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TemporaryFolder folder;
  ModelSpec spec = made_spec({});
  backends::Plan plan = build_plan(spec);
  std::vector<MadeTensor> tensors = made_tensors({});

  // The canonical file of the tensors in their present order, from a source of the dtype.
  fs::path convert(const std::string& name, DType dtype = DType::kF32) const {
    write_checkpoint(folder.path() / "source.safetensors", tensors, dtype);
    write_canonical(folder.path() / name, spec, plan, *open_checkpoint(folder.path() / "source.safetensors"));
    return folder.path() / name;
  }
};

}  // namespace

TEST_CASE("a canonical file holds the weights in the plan's order; their digests; and the spec") {
  Fixture made;
  made.spec.id = "some id \"quoted\"";
  made.spec.published = {{"imagenet", "timm", 81.2, {}, "results.csv"}};
  made.spec.class_names = {"a", "b", "c", "d", "e"};
  const auto file = open_checkpoint(made.convert("a.safetensors"));
  CHECK(file->metadata().at("format") == "pt");
  const auto digests = canonical_digests(*file, "a");
  REQUIRE(file->tensors().size() == made.plan.weights.size());
  CHECK(digests.size() == made.plan.weights.size());
  for (size_t i = 0; i < made.tensors.size(); ++i) {
    const TensorInfo& info = file->tensors()[i];
    CHECK(info.name == made.plan.weights[i].name);
    CHECK(info.dtype == DType::kF32);
    CHECK(info.shape == made.plan.weights[i].shape);
    Tensor scratch;
    const TensorView view = file->read(i, scratch);
    CHECK(std::ranges::equal(view.as<float>(), made.tensors[i].values));
    CHECK(digests.at(info.name) == sha256_hex(view.bytes));
  }
  const auto spec = canonical_spec(*file, "a");
  REQUIRE(spec.has_value());
  CHECK(to_json(*spec) == to_json(made.spec));
  CHECK(spec->class_names == made.spec.class_names);
}

TEST_CASE("the same weights make the same file whatever dtype and order they came in") {
  Fixture made;
  const std::string bytes = read_text(made.convert("f32.safetensors"));
  CHECK(read_text(made.convert("f16.safetensors", DType::kF16)) == bytes);
  CHECK(read_text(made.convert("bf16.safetensors", DType::kBF16)) == bytes);
  CHECK(read_text(made.convert("f64.safetensors", DType::kF64)) == bytes);
  std::ranges::reverse(made.tensors);
  CHECK(read_text(made.convert("reversed.safetensors")) == bytes);
  made.tensors.push_back({"layers.0.blocks.0.attn.relative_position_index", {1}, {0}});
  CHECK(read_text(made.convert("with a buffer.safetensors")) == bytes);

  const auto digest_of = [](const fs::path& path) {
    return weights_digest(canonical_digests(*open_checkpoint(path), "it"));
  };
  const std::string digest = digest_of(made.folder.path() / "f32.safetensors");
  CHECK(digest.size() == 64);
  made.tensors[3].values[0] += 0.25f;
  CHECK(digest_of(made.convert("changed.safetensors")) != digest);
}

TEST_CASE("a canonical file of a canonical file is the same file") {
  const Fixture made;
  const fs::path first = made.convert("first.safetensors");
  write_canonical(made.folder.path() / "second.safetensors", made.spec, made.plan, *open_checkpoint(first));
  CHECK(read_text(made.folder.path() / "second.safetensors") == read_text(first));
}

TEST_CASE("a checkpoint that does not fit makes no file") {
  Fixture made;
  made.tensors.pop_back();
  CHECK(code_of([&] { made.convert("a.safetensors"); }) == ErrorCode::kCorrupt);
  CHECK_FALSE(fs::exists(made.folder.path() / "a.safetensors"));
}

TEST_CASE("weights of integers make no file and are named") {
  const Fixture made;
  std::vector<TensorInfo> infos;
  for (const MadeTensor& tensor : made.tensors) infos.push_back({tensor.name, DType::kI32, tensor.shape});
  const fs::path source = made.folder.path() / "source.safetensors";
  SafetensorsWriter writer(source, infos, {});
  for (const TensorInfo& info : infos) {
    Tensor zeros(info.dtype, info.shape);
    std::ranges::fill(zeros.bytes(), std::byte{0});
    writer.write(zeros.view());
  }
  writer.commit();
  const auto checkpoint = open_checkpoint(source);
  const auto convert = [&] { write_canonical(made.folder.path() / "a", made.spec, made.plan, *checkpoint); };
  CHECK(code_of(convert) == ErrorCode::kUnsupported);
  CHECK_THROWS_WITH(convert(), Catch::Contains(infos[0].name));
  CHECK_FALSE(fs::exists(made.folder.path() / "a"));
}

TEST_CASE("files that are not canonical say so and damaged metadata is refused") {
  const TemporaryFolder folder;
  const auto with = [&](const std::map<std::string, std::string>& metadata) {
    SafetensorsWriter writer(folder.path() / "a.safetensors", {}, metadata);
    writer.commit();
    return open_checkpoint(folder.path() / "a.safetensors");
  };
  CHECK_FALSE(canonical_spec(*with({{"format", "pt"}}), "a").has_value());
  CHECK(canonical_digests(*with({}), "a").empty());
  for (const char* text : {"", "{", "[]", "{}", R"({"id": "x"})", "null"}) {
    INFO(text);
    CHECK(code_of([&] { canonical_spec(*with({{"swinzoo.spec", text}}), "a"); }) == ErrorCode::kCorrupt);
  }
  json::object spec = to_json(made_spec({}));
  spec.at("dimensions").at("depths") = json::array{1, 1, 1, -1};
  CHECK(code_of([&] {
          canonical_spec(*with({{"swinzoo.spec", to_json_line(spec)}}), "a");
        }) == ErrorCode::kCorrupt);
  for (const char* text : {"", "[]", R"({"x": 7})"}) {
    CHECK(code_of([&] { canonical_digests(*with({{"swinzoo.sha256", text}}), "a"); }) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("the digest of weights is that of their names and digests sorted") {
  const std::string lines = "a 11\nb 22\n";
  CHECK(weights_digest({{"b", "22"}, {"a", "11"}}) == sha256_hex(std::as_bytes(std::span(lines))));
}

TEST_CASE("a file of half precision carries both digests and runs as the values it holds") {
  Fixture made;
  made.tensors[2].values[0] = 0.1f;  // needs rounding
  made.tensors[5].values[0] = 70000.0f;
  made.tensors[6].values[0] = std::numeric_limits<float>::infinity();
  const fs::path source = made.folder.path() / "source.safetensors",
                 path = made.folder.path() / "half.safetensors";
  write_checkpoint(source, made.tensors);
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    INFO(name_of(dtype));
    CanonicalFile file(path, made.spec, made.plan, *open_checkpoint(source), dtype);
    const bool is_f16 = dtype == DType::kF16;
    CHECK(file.overflowed() ==
          (is_f16 ? std::vector<std::string>{made.tensors[5].name} : std::vector<std::string>{}));
    file.commit();

    const auto half = open_checkpoint(path);
    const Digests before = canonical_digests(*half, "half"), stored = stored_digests(*half, "half");
    CHECK(before == file.source_digests());
    REQUIRE(stored.size() == made.tensors.size());
    size_t rounded = 0;
    for (size_t i = 0; i < half->tensors().size(); ++i) {
      const std::string& name = half->tensors()[i].name;
      CHECK(half->tensors()[i].dtype == dtype);
      Tensor scratch;
      const TensorView view = half->read(i, scratch);
      CHECK(stored.at(name) == sha256_hex(view.bytes));
      CHECK(before.at(name) == sha256_hex(encoded(made.tensors[i], DType::kF32).bytes()));
      CHECK(file.digests().at(name) == sha256_hex(to_f32(view).bytes()));
      rounded += before.at(name) != file.digests().at(name) ? 1 : 0;
    }
    CHECK(rounded == 2);

    const Model model(open_model(path, Catalog::built_in()), backends::backends().front(), {1});
    CHECK(model.digests() == file.digests());

    // Back in float32, it is what it stands for.
    write_canonical(made.folder.path() / "back.safetensors", made.spec, made.plan, *half);
    const auto back = open_checkpoint(made.folder.path() / "back.safetensors");
    CHECK(canonical_digests(*back, "back") == file.digests());
    CHECK(stored_digests(*back, "back") == file.digests());
    CHECK_FALSE(back->metadata().contains("swinzoo.stored_sha256"));
  }
}

TEST_CASE("a canonical file that is not committed leaves what was there") {
  const Fixture made;
  write_checkpoint(made.folder.path() / "source.safetensors", made.tensors);
  const fs::path path = made.folder.path() / "out.safetensors";
  write_file(path, "mine");
  fs::path temporary;
  {
    CanonicalFile file(path, made.spec, made.plan,
                       *open_checkpoint(made.folder.path() / "source.safetensors"));
    temporary = file.temporary();
    CHECK(open_checkpoint(temporary)->tensors().size() == made.tensors.size());
    CHECK(canonical_digests(*open_checkpoint(temporary), "it") == file.digests());
  }
  CHECK_FALSE(fs::exists(temporary));
  CHECK(read_text(path) == "mine");
}
