// swinzoo verify --catalog, by the real binary.
#include <catch2/catch.hpp>
#include <fstream>

#include "tests/cmd/results.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

// A catalog of small architectures, one a family; the first has two entries, of 5 and of no classes, the last
// none.
struct Fixture {
  TemporaryFolder folder;
  std::map<std::string, std::string> env;

  Fixture() {
    const std::string preprocessing =
        R"("preprocessing": {"crop_pct": 0.9, "crop_mode": "center", "interpolation": "bicubic",
                            "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]})";
    const auto architecture = [&](const std::string& name, const std::string& family,
                                  const std::string& more) {
      return "\"" + name +
             R"(": {"embed_dim": 16, "depths": [2, 1], "num_heads": [1, 2], "num_classes": 3, )" +
             "\"family\": \"" + family + "\", " + more + ", " + preprocessing + "}";
    };
    const auto entry = [&](const std::string& id, const std::string& name, int classes) {
      return R"({"id": ")" + id + R"(", "collection": "mini", "architecture": ")" + name + R"(", "task": ")" +
             (classes > 0 ? "classification" : "features") + R"(", "num_classes": )" +
             std::to_string(classes) +
             R"(, "sources": ["hf:mini/mini"], "license": "mit", "dataset": "none", "published": [], "aliases": [], )" +
             preprocessing + "}";
    };
    const std::string path = folder.path() / "catalog.json";
    std::ofstream(path) << R"({"schema": 1, "architectures": {)"
                        << architecture("mini_v1", "swin", R"("image_size": 36, "window_size": [5, 4])")
                        << ",\n"
                        << architecture("mini_v2", "swinv2", R"("image_size": 32, "window_size": 4)") << ",\n"
                        << architecture("mini_cr", "swinv2_cr",
                                        R"("image_size": 32, "window_size": 4, "extra_norm_stage": true)")
                        << ",\n"
                        << architecture(
                               "mini_video", "video_swin",
                               R"("image_size": 36, "window_size": 4, "frames": 6, "window_frames": 2)")
                        << ",\n"
                        << architecture("mini_bare", "swin", R"("image_size": 32, "window_size": 4)")
                        << "}, \"entries\": [" << entry("mini/features", "mini_v1", 0) << ", "
                        << entry("mini/classes", "mini_v1", 5) << ", " << entry("mini/v2", "mini_v2", 5)
                        << ", " << entry("mini/cr", "mini_cr", 5) << ", "
                        << entry("mini/video", "mini_video", 5) << "]}";
    env["SWINZOO_CATALOG"] = path;
  }
};

}  // namespace

TEST_CASE("verify --catalog checks the plan of every row") {
  const Result result = run_swinzoo({"verify", "--catalog", "--json"});
  CHECK(result.status == 0);
  const json::array rows = results_of(result);
  CHECK(rows.size() >= 88);
  for (const json::value& row : rows) {
    INFO(row.at("id"));
    CHECK(row.at("ok") == true);
    CHECK(row.at("fault").is_null());
    CHECK(row.at("run").is_null());
    CHECK(row.at("params").as_int64() > 1000000);
    CHECK(row.at("macs").as_int64() > 1000000000);
  }
  CHECK(rows.front().at("input") == "224x224");
}

TEST_CASE("verify --catalog prints a line a row") {
  const Result result = run_swinzoo({"verify", "--catalog", "--only", "swin_s3_tiny"});
  CHECK(result.status == 0);
  CHECK(std::ranges::count(result.out, '\n') == 1 + 3);
  CHECK_THAT(result.out,
             Contains("params") && Contains("swin_s3_tiny_224") && Contains("28.33 M") && Contains("ok"));
  CHECK_THAT(result.out, !Contains("reference"));
}

TEST_CASE("verify --catalog --run compares every architecture with the reference once") {
  const Fixture made;
  const Result result =
      run_swinzoo({"verify", "--catalog", "--run", "--only", "mini", "--json", "-v", "-q"}, made.env);
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  const json::array rows = results_of(result);
  REQUIRE(rows.size() == 6);
  for (size_t i = 0; i < 5; ++i) {
    INFO(rows[i].at("id"));
    const json::value& run = rows[i].at("run");
    CHECK(rows[i].at("ok") == true);
    CHECK(run.at("num_classes") == 5);
    CHECK(run.at("outputs") == 8);  // logits, embedding, features, 2 maps, 3 blocks' attention
    CHECK(run.at("all_outputs").as_array().size() == 8);
    CHECK(as_number(run.at("worst").at("relative"), "relative") < 1e-5);
    for (const json::value& output : run.at("all_outputs").as_array()) {
      CHECK(as_number(output.at("abs_max"), "abs_max") > 0.01);
      CHECK(output.at("not_finite") == 0);
    }
  }
  CHECK(rows[0].at("run") == rows[1].at("run"));
  CHECK(rows[0].at("num_classes") == 0);
  // An architecture without entries runs where it is named in full.
  CHECK(rows[5].at("id") == "mini_bare");
  CHECK(rows[5].at("run").is_null());
  const json::array bare =
      results_of(run_swinzoo({"verify", "--catalog", "--run", "--only", "mini_bare", "--json"}, made.env));
  CHECK(bare.at(0).at("run").at("num_classes") == 3);
}

TEST_CASE("verify --catalog --run ends in 5 where an output is off and goes on with the other rows") {
  const Fixture made;
  const Result result =
      run_swinzoo({"verify", "--catalog", "--run", "--only", "mini", "--tolerance", "0"}, made.env);
  CHECK(result.status == 5);
  CHECK_THAT(result.err, Contains("5 of 6 rows are not as they should be"));
  CHECK_THAT(result.out,
             Contains("FAILED: off or not finite:") && Contains(" logits") && Contains("mini/video"));
}

TEST_CASE("verify --catalog ends in 2 with a model or options of one and in 3 without rows") {
  const Result model = run_swinzoo({"verify", "--catalog", "rows.json"});
  CHECK(model.status == 2);
  CHECK_THAT(model.err, Contains("takes no MODEL") && Contains("SWINZOO_CATALOG"));
  CHECK(run_swinzoo({"verify", "--catalog", "--against", "reference"}).status == 2);
  CHECK(run_swinzoo({"verify", "--catalog", "--golden", "x"}).status == 2);
  CHECK(run_swinzoo({"verify", "--catalog", "--seed", "2"}).status == 2);
  CHECK(run_swinzoo({"verify", "x", "--run"}).status == 2);
  CHECK(run_swinzoo({"verify", "x", "--only", "y"}).status == 2);
  const Result nothing = run_swinzoo({"verify", "--catalog", "--only", "no such"});
  CHECK(nothing.status == 3);
  CHECK_THAT(nothing.err, Contains("no such"));
}
