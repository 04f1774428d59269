#include "zoo/check_digests.h"

#include <catch2/catch.hpp>

#include "formats/checkpoint.h"
#include "formats/safetensors.h"
#include "formats/sha256.h"
#include "tests/made_model.h"
#include "tests/process.h"
#include "zoo/canonical.h"
#include "zoo/spec_json.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
namespace fs = std::filesystem;

namespace {

DigestCheck check(const fs::path& path) {
  return check_digests(match_model(open_model(path, Catalog::built_in())));
}

// A file of the common format in any dtype, with metadata as given.
void write_with(const fs::path& path, const std::vector<MadeTensor>& tensors, DType dtype,
                std::map<std::string, std::string> metadata) {
  metadata["swinzoo.spec"] = to_json_line(to_json(made_spec({})));
  std::vector<TensorInfo> infos;
  for (const MadeTensor& tensor : tensors) infos.push_back({tensor.name, dtype, tensor.shape});
  SafetensorsWriter writer(path, infos, std::move(metadata));
  for (const MadeTensor& tensor : tensors) writer.write(encoded(tensor, dtype).view());
  writer.commit();
}

std::string digests_of(const std::vector<MadeTensor>& tensors, DType dtype) {
  json::object digests;
  for (const MadeTensor& tensor : tensors) digests[tensor.name] = sha256_hex(encoded(tensor, dtype).bytes());
  return to_json_line(digests);
}

struct Fixture {
  TemporaryFolder folder;
  fs::path file = folder.path() / "a.safetensors";
  std::vector<MadeTensor> tensors = made_tensors({});
};

}  // namespace

TEST_CASE("digests that the file carries are found right") {
  const Fixture made;
  write_with(made.file, made.tensors, DType::kF32,
             {{"swinzoo.sha256", digests_of(made.tensors, DType::kF32)}});
  const DigestCheck found = check(made.file);
  CHECK(found.tensors == std::ssize(made.tensors));
  CHECK(found.carried == std::ssize(made.tensors));
  CHECK(found.mismatches.empty());
  const auto checkpoint = open_checkpoint(made.file);
  CHECK(found.weights_digest == weights_digest(canonical_digests(*checkpoint, "it")));
}

TEST_CASE("a tensor that is not what its digest says is named") {
  Fixture made;
  const std::string digests = digests_of(made.tensors, DType::kF32);
  const std::string name = made.tensors[7].name;
  made.tensors[7].values[0] += 0.25f;
  write_with(made.file, made.tensors, DType::kF32, {{"swinzoo.sha256", digests}});
  const DigestCheck found = check(made.file);
  REQUIRE(found.mismatches.size() == 1);
  CHECK(found.mismatches[0].weight == name);
  CHECK(found.mismatches[0].found == sha256_hex(encoded(made.tensors[7], DType::kF32).bytes()));
  CHECK_FALSE(found.mismatches[0].carried == found.mismatches[0].found);
}

TEST_CASE("a weight that the digests leave out counts as wrong") {
  const Fixture made;
  auto some = made.tensors;
  some.pop_back();
  write_with(made.file, made.tensors, DType::kF32, {{"swinzoo.sha256", digests_of(some, DType::kF32)}});
  const DigestCheck found = check(made.file);
  REQUIRE(found.mismatches.size() == 1);
  CHECK(found.mismatches[0].weight == made.tensors.back().name);
  CHECK(found.mismatches[0].carried.empty());
}

TEST_CASE("of weights stored in another dtype the stored bytes are checked") {
  Fixture made;
  // The float32 values before rounding had another digest, which can't be computed any more.
  const std::string of_values = digests_of(made_tensors({.seed = 2}), DType::kF32);
  const std::string of_stored = digests_of(made.tensors, DType::kF16);
  const auto write = [&] {
    write_with(made.file, made.tensors, DType::kF16,
               {{"swinzoo.sha256", of_values}, {"swinzoo.stored_sha256", of_stored}});
  };
  write();
  CHECK(check(made.file).mismatches.empty());
  made.tensors[0].values[0] += 0.25f;
  write();
  REQUIRE(check(made.file).mismatches.size() == 1);
  CHECK(check(made.file).mismatches[0].weight == made.tensors[0].name);
}

TEST_CASE("a file without digests is read and digested all the same") {
  const Fixture made;
  write_model(made.folder.path());
  const DigestCheck found = check(made.folder.path());
  CHECK(found.carried == 0);
  CHECK(found.mismatches.empty());
  write_with(made.file, made.tensors, DType::kF32, {});
  CHECK(found.weights_digest == check(made.file).weights_digest);
  CHECK(found.weights_digest.size() == 64);
}

TEST_CASE("formats with checksums say which") {
  CHECK_FALSE(checksums_of("saved_model").empty());
  CHECK(checksums_of("safetensors").empty());
}

TEST_CASE("a final norm of ones and zeros is the identity") {
  Fixture made;
  const auto is_identity = [&] {
    write_with(made.file, made.tensors, DType::kF32, {});
    const MatchedModel model = match_model(open_model(made.file, Catalog::built_in()));
    return has_identity_norm(model.plan, model.match, *model.opened.checkpoint);
  };
  CHECK_FALSE(is_identity());
  for (MadeTensor& tensor : made.tensors) {
    if (tensor.name == "norm.weight") std::ranges::fill(tensor.values, 1.0f);
    if (tensor.name == "norm.bias") std::ranges::fill(tensor.values, 0.0f);
  }
  CHECK(is_identity());
  for (MadeTensor& tensor : made.tensors) {
    if (tensor.name == "norm.bias") tensor.values.back() = 0.5f;
  }
  CHECK_FALSE(is_identity());
  ModelSpec spec = made_spec({});
  CHECK_FALSE(is_said_to_have_identity_norm(spec));
  CHECK(is_said_to_have_identity_norm(Catalog::built_in().find("sayakpaul/swin_tiny_patch4_window7_224_fe")));
  CHECK_FALSE(
      is_said_to_have_identity_norm(Catalog::built_in().find("sayakpaul/swin_tiny_patch4_window7_224")));
}
