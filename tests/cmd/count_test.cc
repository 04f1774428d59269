// swinzoo count, by the real binary.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>

#include "formats/atomic_file.h"
#include "tests/cmd/results.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

TEST_CASE("count gives fvcore's integers for bare architectures and list the same") {
  const json::value document = read_json(SWINZOO_TEST_DATA "/counts_fvcore.json");
  std::vector<std::string> arguments = {"count", "--json"};
  for (const json::value& row : document.at("counts").as_array()) {
    arguments.push_back(as_string(row.at("architecture"), "row"));
  }
  const json::array results = results_of(run_swinzoo(arguments));
  const json::array listed = results_of(run_swinzoo({"list", "--json"}));
  REQUIRE(results.size() == arguments.size() - 2);
  size_t checked = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const json::value& row = document.at("counts").as_array()[i];
    INFO(arguments[i + 2]);
    CHECK(results[i].at("model") == row.at("architecture"));
    CHECK(results[i].at("image_size") == row.at("input_size"));
    CHECK(results[i].at("params") == row.at("params"));
    CHECK(results[i].at("macs") == row.at("fvcore_total_macs"));
    CHECK(results[i].at("activations") == row.at("fvcore_activations"));
    CHECK(results[i].at("by_operator") == row.at("by_operator"));
    CHECK_FALSE(results[i].as_object().contains("by_block"));
    for (const json::value& entry : listed) {
      if (entry.at("architecture") != row.at("architecture") ||
          entry.at("num_classes") != row.at("num_classes"))
        continue;
      INFO(to_json_line(entry.at("id")));
      CHECK(entry.at("params") == row.at("params"));
      CHECK(entry.at("macs") == row.at("fvcore_total_macs"));
      ++checked;
    }
  }
  CHECK(checked > 20);
}

TEST_CASE("count's blocks and operators sum to the totals") {
  const json::value result =
      results_of(run_swinzoo({"count", "swin_tiny_patch4_window7_224", "--by-block", "--json"})).front();
  int64_t params = 0, macs = 0, activations = 0, by_operator = 0;
  for (const json::value& block : result.at("by_block").as_array()) {
    params += as_int(block.at("params"), "block");
    macs += as_int(block.at("macs"), "block");
    activations += as_int(block.at("activations"), "block");
  }
  for (const auto& member : result.at("by_operator").as_object())
    by_operator += as_int(member.value(), "operator");
  CHECK(result.at("params") == json::value(params));
  CHECK(result.at("macs") == json::value(macs));
  CHECK(result.at("activations") == json::value(activations));
  CHECK(result.at("macs") == json::value(by_operator));
  CHECK(result.at("by_block").at(0).at("name") == "patch_embed");
}

TEST_CASE("count as text holds the same integers") {
  const Result result = run_swinzoo({"count", "swin_tiny_patch4_window7_224", "--by-op", "--by-block"});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  const json::value counts = read_json(SWINZOO_TEST_DATA "/counts_fvcore.json").at("counts");
  for (const json::value& row : counts.as_array()) {
    if (row.at("architecture") != "swin_tiny_patch4_window7_224") continue;
    for (const char* field : {"params", "fvcore_total_macs", "fvcore_activations"}) {
      CHECK_THAT(result.out, Contains(to_json_line(row.at(field))));
    }
    for (const auto& member : row.at("by_operator").as_object()) {
      CHECK_THAT(result.out, Contains(std::string(member.key())) && Contains(to_json_line(member.value())));
    }
  }
  CHECK_THAT(result.out, Contains("layers.2.blocks.3.attn"));
}

TEST_CASE("count as torch gives FlopCounterMode's integers") {
  // torch.utils.flop_counter.FlopCounterMode of PyTorch 2.13 on timm 1.0.31's models at batch 1.
  const std::map<std::string, int64_t> kFlops = {{"swin_tiny_patch4_window7_224", 8981133312},
                                                 {"swin_s3_tiny_224", 9246664704},
                                                 {"swinv2_tiny_window8_256", 11879380992},
                                                 {"swinv2_cr_tiny_ns_224", 9279856128}};
  for (const auto& [architecture, flops] : kFlops) {
    INFO(architecture);
    CHECK(results_of(run_swinzoo({"count", architecture, "--as", "torch", "--json"})).front().at("flops") ==
          flops);
    CHECK_THAT(run_swinzoo({"count", architecture, "--as", "torch"}).out, Contains(std::to_string(flops)));
  }
  CHECK_FALSE(
      results_of(run_swinzoo({"count", "swin_s3_tiny_224", "--json"})).front().as_object().contains("flops"));
}

TEST_CASE("count explains what each convention leaves out") {
  const Result plain = run_swinzoo({"count", "swin_tiny_patch4_window7_224", "--explain"});
  CHECK(plain.status == 0);
  CHECK_THAT(plain.out, Contains("18627840") && Contains("8981133312") && Contains("torch: not counted"));
  CHECK_THAT(plain.out, !Contains("position biases"));
  // A network a block: 225 offsets x (2 + heads) x 512.
  const Result network = run_swinzoo({"count", "swinv2_tiny_window8_256", "--explain"});
  CHECK_THAT(network.out, Contains(std::to_string(225 * 512 * (2 * 12 + 2 * 3 + 2 * 6 + 6 * 12 + 2 * 24))) &&
                              Contains("position biases"));
}

TEST_CASE("count takes catalog entries and folders") {
  const TemporaryFolder folder;
  write_model(folder.path() / "mini");
  const std::string path = folder.path() / "mini";
  const json::array results =
      results_of(run_swinzoo({"count", path, "microsoft/swin-tiny-patch4-window7-224", "--json"}));
  REQUIRE(results.size() == 2);
  int64_t params = 0;
  for (const MadeTensor& tensor : made_tensors({})) params += element_count(tensor.shape);
  CHECK(results[0].at("model") == json::value(path));
  CHECK(results[0].at("params") == json::value(params));
  CHECK(results[1].at("params") == 28288354);
}

TEST_CASE("count of what is unknown ends in 3") {
  const Result unknown = run_swinzoo({"count", "swin_tinny_patch4_window7_224"});
  CHECK(unknown.status == 3);
  CHECK_THAT(unknown.err, Contains("did you mean 'swin_tiny_patch4_window7_224"));
  CHECK(run_swinzoo({"count"}).status == 2);
}

TEST_CASE("count of a model of impossible size is an error and does not wrap") {
  const TemporaryFolder folder;
  write_model(folder.path() / "mini");
  const auto status_of = [&](const std::string& arguments) {
    write_file(folder.path() / "mini" / "config.json",
               fmt::format(R"({{"architecture": "swin_tiny_patch4_window7_224", "model_args": {{{}}}}})",
                           arguments));
    const Result result = run_swinzoo({"count", folder.path() / "mini"});
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: "));
    return result.status;
  };
  const std::string windows = R"("num_heads": [1, 1, 1, 1], "window_size": 65536, "img_size": 65536)";
  CHECK(status_of(windows + R"(, "embed_dim": 65536)") == 7);
  CHECK(status_of(windows + R"(, "embed_dim": 65536, "patch_size": 1)") == 7);
  CHECK(status_of(R"("num_classes": 9223372036854775807)") == 7);
  CHECK(status_of(R"("depths": [0, 1, 1, 1])") == 5);
  CHECK(status_of(R"("mlp_ratio": 1e308)") == 5);
}
