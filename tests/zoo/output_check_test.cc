#include "zoo/output_check.h"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

NamedTensors outputs(const std::vector<std::vector<float>>& values) {
  NamedTensors named;
  for (const auto& row : values) {
    Tensor tensor(DType::kF32, {static_cast<int64_t>(row.size())});
    std::ranges::copy(row, tensor.as<float>().begin());
    named.emplace_back("output " + std::to_string(named.size()), std::move(tensor));
  }
  return named;
}

}  // namespace

TEST_CASE("differences of outputs are told by the worst of them") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const NamedTensors a = outputs({{1, -4}, {100, 0}, {nan, 2}});
  CHECK(compare_outputs(a, outputs({{1, -4}, {100, 0}, {nan, 2}})).same_bits);
  const OutputDifference difference = compare_outputs(a, outputs({{1, -5}, {110, 0}, {7, 2}}));
  CHECK_FALSE(difference.same_bits);
  CHECK(difference.largest == 0.25);
  CHECK(difference.largest_in == "output 0");
  CHECK(difference.not_finite.empty());
  CHECK_FALSE(compare_outputs(a, outputs({{1, -4}, {100, -0.0f}, {nan, 2}})).same_bits);
  CHECK(compare_outputs(a, outputs({{1, nan}, {100, 0}, {nan, -std::numeric_limits<float>::infinity()}}))
            .not_finite == std::vector<std::string>{"output 0", "output 2"});
}

TEST_CASE("seeded outputs are the same again and depend on the weights") {
  const TemporaryFolder folder;
  write_model(folder.path() / "a");
  MadeModel other;
  other.seed = 2;
  write_model(folder.path() / "b", other);
  const auto run = [&](const char* name) {
    return seeded_outputs(
        Model(open_model(folder.path() / name, Catalog::built_in()), backends::backends().front(), {1}));
  };
  const NamedTensors once = run("a");
  CHECK(compare_outputs(once, run("a")).same_bits);
  CHECK(compare_outputs(once, run("b")).largest > 0.01);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : once) names.push_back(name);
  CHECK(names == std::vector<std::string>{"feature_map.0", "feature_map.1", "feature_map.2", "feature_map.3",
                                          "features", "embedding", "logits"});
}
