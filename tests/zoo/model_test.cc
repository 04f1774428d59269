#include "zoo/model.h"

#include <catch2/catch.hpp>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/json.h"
#include "formats/sha256.h"
#include "tests/error_code.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "zoo/architecture.h"
#include "zoo/canonical.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

OpenedModel open(const std::string& model) { return open_model(model, Catalog::built_in()); }

std::optional<ErrorCode> open_code(const std::string& model) {
  return code_of([&] { open(model); });
}

struct Fixture {
  TemporaryFolder folder;
  fs::path model = folder.path() / "mini";

  Fixture() { write_model(model); }

  fs::path canonical() const {
    const OpenedModel opened = open(model);
    const fs::path path = folder.path() / "elsewhere" / "canonical.safetensors";
    write_canonical(path, opened.spec, build_plan(opened.spec), *opened.checkpoint);
    return path;
  }
};

Model load(const std::string& model) { return Model(open(model), backends::backends().front(), {1}); }

}  // namespace

TEST_CASE("a folder; its file; and file: before a path name the same model") {
  const Fixture made;
  for (const std::string& name :
       {made.model.string(), made.model.string() + "/", (made.model / "model.safetensors").string(),
        "file:" + made.model.string()}) {
    INFO(name);
    CHECK(names_files(name));
    const OpenedModel opened = open(name);
    CHECK(opened.spec.architecture == "swin_tiny_patch4_window7_224");
    CHECK(opened.spec.dimensions == made_spec({}).dimensions);
    CHECK(opened.spec.num_classes == 5);
    CHECK(opened.spec.id == "mini");
    CHECK(opened.checkpoint->tensors().size() == made_tensors({}).size());
    CHECK_THAT(opened.origin, Contains(made.model.string()));
  }
}

TEST_CASE("a canonical file needs no config and gives the same digests") {
  const Fixture made;
  const fs::path canonical = made.canonical();
  CHECK(open(canonical).spec.id == "mini");
  CHECK(open(canonical).spec.dimensions == made_spec({}).dimensions);
  const auto digests = load(canonical).digests();
  CHECK(digests == load(made.model).digests());
  const MadeTensor first = made_tensors({}).front();
  CHECK(digests.at(first.name) == sha256_hex(encoded(first, DType::kF32).bytes()));
}

TEST_CASE("weights that are not what the file's digests say are run, but get no digest") {
  const Fixture made;
  const fs::path canonical = made.canonical();
  std::string bytes = read_text(canonical);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(canonical, bytes);
  CHECK(code_of([&] { load(canonical).digests(); }) == ErrorCode::kCorrupt);
  CHECK_THROWS_WITH(load(canonical).digests(), Contains("swinzoo verify"));
}

TEST_CASE("unknown names are not found and near ones are suggested") {
  CHECK(open_code("swin_tiny_patch4_window7_225.ms_in1k") == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(open("swin_tiny_patch4_window7_225.ms_in1k"), Contains("did you mean"));
  CHECK(open_code("") == ErrorCode::kNotFound);
  CHECK(open_code("/no/such/folder") == ErrorCode::kNotFound);
  CHECK(open_code("./none.safetensors") == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(open("./none.safetensors"), Contains("./none.safetensors"));
  CHECK(open_code(std::string(300, 'n')) == ErrorCode::kNotFound);
  CHECK(open_code("/" + std::string(300, 'n')) == ErrorCode::kNotFound);
}

TEST_CASE("an architecture has a spec but no weights") {
  CHECK(open_code("swin_tiny_patch4_window7_224") == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(open("swin_tiny_patch4_window7_224"), Contains("weights come with an entry"));
  const ModelSpec spec = find_spec("swin_tiny_patch4_window7_224", Catalog::built_in());
  CHECK(spec.num_classes == 1000);
  CHECK(spec.architecture == "swin_tiny_patch4_window7_224");
}

TEST_CASE("find_spec reads files as open_model does") {
  const Fixture made;
  CHECK(find_spec(made.model, Catalog::built_in()).dimensions == made_spec({}).dimensions);
  CHECK(find_spec("microsoft/swin-tiny-patch4-window7-224", Catalog::built_in()).num_classes == 1000);
}

TEST_CASE("a checkpoint alone and a config that nothing knows are unsupported") {
  const Fixture made;
  fs::remove(made.model / "config.json");
  CHECK(open_code(made.model) == ErrorCode::kUnsupported);
  CHECK_THROWS_WITH(
      open(made.model),
      Contains("image size can't be told; a config.json beside it, --img-size or --arch settles it"));
  CHECK(open_model(made.model, Catalog::built_in(), {"", 32}).spec.dimensions.image_size == 32);
  fs::rename(made.model / "model.safetensors", made.model / "other.safetensors");
  write_checkpoint(made.model / "other.safetensors", {{"weight", {2}, {1, 2}}});
  CHECK(open_code(made.model) == ErrorCode::kUnsupported);
  CHECK_THROWS_WITH(open(made.model), Contains("--arch settles it"));
  const OpenedModel named = open_model(made.model, Catalog::built_in(), {"swin_tiny_patch4_window7_224", 0});
  CHECK(named.spec.architecture == "swin_tiny_patch4_window7_224");
  CHECK(code_of([&] {
          open_model(made.model, Catalog::built_in(), {"swin_minuscule", 0});
        }) == ErrorCode::kNotFound);

  write_file(made.model / "config.json", R"({"architecture": "resnet50"})");
  CHECK(open_code(made.model) == ErrorCode::kUnsupported);
  write_file(made.model / "config.json", "{");
  CHECK(open_code(made.model) == ErrorCode::kCorrupt);
  CHECK_THROWS_WITH(open(made.model), Contains("config.json"));
}

TEST_CASE("a folder without weights says what it looked for") {
  const Fixture made;
  fs::remove(made.model / "model.safetensors");
  CHECK(open_code(made.model) == ErrorCode::kNotFound);
  CHECK_THROWS_WITH(open(made.model), Contains("model.safetensors"));
}

TEST_CASE("sources that are not fetched yet end as not found") {
  CHECK(open_code("tfhub:sayakpaul/swin_tiny_patch4_window7_224/1") == ErrorCode::kNotFound);
  CHECK(open_code("https://host.invalid/model.safetensors") == ErrorCode::kNotFound);
}

TEST_CASE("a model whose tensors do not fit its config is refused with their names") {
  const Fixture made;
  json::object config = made_config({});
  config["num_classes"] = 7;
  write_file(made.model / "config.json", to_pretty_json(config));
  CHECK(code_of([&] { load(made.model); }) == ErrorCode::kCorrupt);
  CHECK_THROWS_WITH(load(made.model), Contains("head.fc.weight is [5, 64] instead of [7, 64]") &&
                                          Contains("head.fc.bias is [5] instead of [7]"));
}

TEST_CASE("an architecture that contradicts what the files say is refused; another image size is taken") {
  const Fixture made;
  for (const fs::path& path : {made.model, made.canonical()}) {
    const auto open_with = [&](const SpecHints& hints) {
      return open_model(path, Catalog::built_in(), hints);
    };
    CHECK(open_with({"swin_tiny_patch4_window7_224", 32}).spec.dimensions.image_size == 32);
    CHECK(open_with({"", 64}).spec.dimensions.image_size == 64);
    CHECK(code_of([&] { open_with({"swin_base_patch4_window7_224", 0}); }) == ErrorCode::kUsage);
    CHECK(code_of([&] { open_with({"", 30}); }) == ErrorCode::kUsage);  // no multiple of the patch
  }
}

TEST_CASE("at a smaller image size tables are resized to the windows that are clipped") {
  const Fixture made;
  const OpenedModel opened = open_model(made.canonical(), Catalog::built_in(), {"", 8});
  const backends::Plan plan = build_plan(opened.spec);
  const WeightMatch match = match_weights(plan, "swin", *opened.checkpoint);
  CHECK(match.fits());
  CHECK(canonical_digests(*opened.checkpoint, "").empty());  // they are of other weights
  const Model model(open_model(made.canonical(), Catalog::built_in(), {"", 8}), backends::find_backend("cpu"),
                    {1});
  CHECK(model.executable().plan().input == Shape{3, 8, 8});
}
