// swinzoo info --plan, by the real binary.
#include <catch2/catch.hpp>

#include "tests/cmd/results.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

TEST_CASE("info --plan shows what is run and its MACs") {
  const Result result = run_swinzoo({"info", "swin_tiny_patch4_window7_224", "--plan"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("patch_conv") && Contains("position_bias (at load)") &&
                             Contains("layers.2.blocks.5.mlp") && Contains("head.fc.weight, head.fc.bias") &&
                             Contains("[64, 3, 49, 49]"));
  CHECK_THAT(run_swinzoo({"info", "swin_tiny_patch4_window7_224"}).out, !Contains("patch_conv"));
}

TEST_CASE("info --plan as JSON names every weight once and every value before its use") {
  const TemporaryFolder folder;
  write_model(folder.path() / "mini");
  const json::array results = results_of(run_swinzoo({"info", folder.path() / "mini", "--plan", "--json"}));
  REQUIRE(results.size() == 1);
  std::vector<std::string> weights;
  std::vector<int64_t> values = {0};
  for (const json::value& step : results[0].at("plan").as_array()) {
    for (const json::value& op : step.at("ops").as_array()) {
      for (const json::value& weight : op.at("weights").as_array())
        weights.push_back(as_string(weight, "weight"));
      for (const json::value& input : op.at("inputs").as_array()) {
        CHECK_THAT(values, Catch::VectorContains(as_int(input, "input")));
      }
      values.push_back(as_int(op.at("output"), "output"));
      CHECK_FALSE(op.at("shape").as_array().empty());
    }
  }
  std::vector<std::string> expected;
  for (const MadeTensor& tensor : made_tensors({})) expected.push_back(tensor.name);
  CHECK_THAT(weights, Catch::UnorderedEquals(expected));
}

TEST_CASE("info --plan of a video model has clips' extents") {
  const Result result = run_swinzoo({"info", "swin_tiny_patch244_window877", "--plan"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("3x32x224x224") && Contains("[16, 56, 56, 96]") &&
                             Contains("[128, 3, 392, 392]") && Contains("layers.2.downsample"));
}
