// swinzoo list and swinzoo info, by the real binary.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/atomic_file.h"
#include "formats/json.h"
#include "tests/run_binary.h"

using namespace swinzoo;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// A user's catalog in a file that goes when the test ends.
class CatalogFile {
 public:
  explicit CatalogFile(const std::string& id)
      : path_(std::filesystem::temp_directory_path() / fmt::format("swinzoo-catalog-{}.json", getpid())) {
    write_file(path_,
               fmt::format(R"({{"schema": 1, "entries": [{{"id": "{}", "aliases": [], "collection": "mine",
      "task": "features", "architecture": "swin_tiny_patch4_window7_224", "num_classes": 0, "preprocessing":
      {{"crop_pct": 1, "crop_mode": "border", "interpolation": "bicubic", "mean": [0, 0, 0], "std": [1, 1, 1]}},
      "sources": ["./mine.pth"], "license": "", "dataset": "", "published": []}}]}})",
                           id));
  }
  ~CatalogFile() { std::filesystem::remove(path_); }
  CatalogFile(const CatalogFile&) = delete;
  CatalogFile& operator=(const CatalogFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

long lines_of(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

json::array results_of(const Result& result) {
  const json::value document = parse_json(result.out, "standard output");
  CHECK(document.at("schema") == 1);
  return document.at("results").as_array();
}

}  // namespace

TEST_CASE("list shows a line for each entry") {
  const Result result = run_swinzoo({"list"});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  CHECK(lines_of(result.out) == 89);
  CHECK_THAT(result.out, StartsWith("id ") && Contains("\nswinv2_cr_small_224.sw_in1k "));
  CHECK(result.out.find(" \n") == std::string::npos);
  for (const char* collection : {"collection\n", "sayakpaul/swin/1\n", "timm\n", "microsoft\n"})
    CHECK_THAT(result.out, Contains(std::string("  ") + collection));
}

TEST_CASE("list as JSON holds every row") {
  const Result result = run_swinzoo({"list", "--json"});
  CHECK(result.status == 0);
  const json::array results = results_of(result);
  CHECK(results.size() == 88);
  const json::value& first = results.front();
  CHECK(first.at("id") == "sayakpaul/swin_tiny_patch4_window7_224");
  CHECK(first.at("num_classes") == 1000);
  CHECK(first.at("top1") == 81.184);
  CHECK(first.at("top1_by") == "collection");
  CHECK(run_swinzoo({"list", "--format", "json"}).out == result.out);
}

TEST_CASE("list filters") {
  CHECK(results_of(run_swinzoo({"list", "--json", "--family", "swinv2_cr"})).size() == 3);
  CHECK(results_of(run_swinzoo({"list", "--json", "--collection", "timm"})).size() == 34);
  CHECK(results_of(run_swinzoo({"list", "--json", "--task", "features"})).size() == 19);
  CHECK(results_of(run_swinzoo({"list", "--json", "--task", "features", "--family", "swin"})).size() == 13);
}

TEST_CASE("list with nothing to show says so and ends in 3") {
  const Result result = run_swinzoo({"list", "--family", "swim"});
  CHECK(result.status == 3);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Contains("--family swim") && Contains("swin, swinv2, swinv2_cr, video_swin"));
  const Result pair = run_swinzoo({"list", "--family", "swinv2", "--collection", "sayakpaul/swin/1"});
  CHECK(pair.status == 3);
  CHECK_THAT(pair.err, Contains("--family swinv2 --collection sayakpaul/swin/1"));
}

TEST_CASE("a collection that is not there is told which there are") {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"bench"}, {"fetch"}, {"cache", "verify"}, {"eval", "--data", "/tmp"}}) {
    std::vector<std::string> words = command;
    words.insert(words.end(), {"--collection", "timmm"});
    const Result result = run_swinzoo(words);
    CAPTURE(words, result.err);
    CHECK(result.status == 3);
    CHECK_THAT(result.err, Contains("no collection 'timmm', but ") && Contains("sayakpaul/swin/1, ") &&
                               Contains("; did you mean 'timm'?"));
  }
}

TEST_CASE("list refuses wrong options") {
  CHECK(run_swinzoo({"list", "--format", "xml"}).status == 2);
  CHECK_THAT(run_swinzoo({"list", "--familly", "swin"}).err, Contains("did you mean '--family'?"));
  CHECK(run_swinzoo({"list", "surplus"}).status == 2);
}

TEST_CASE("a user's catalog comes by flag or by variable and the flag wins") {
  const CatalogFile mine("my/entry");
  CHECK(results_of(run_swinzoo({"list", "--json", "--catalog", mine.path()})).size() == 89);
  CHECK(results_of(run_swinzoo({"list", "--json"}, {{"SWINZOO_CATALOG", mine.path()}})).size() == 89);
  CHECK(run_swinzoo({"list", "--catalog", mine.path()}, {{"SWINZOO_CATALOG", "/nonexistent"}}).status == 0);
  CHECK(run_swinzoo({"info", "my/entry"}).status == 3);
  const Result info = run_swinzoo({"info", "my/entry", "--catalog", mine.path()});
  CHECK(info.status == 0);
  CHECK_THAT(info.out, Contains("longer side to 224"));
}

TEST_CASE("a user's catalog that can not be used is an error") {
  CHECK(run_swinzoo({"list", "--catalog", "/nonexistent.json"}).status == 3);
  const CatalogFile taken("swin_tiny_patch4_window7_224.ms_in1k");
  const Result result = run_swinzoo({"list", "--catalog", taken.path()});
  CHECK(result.status == 5);
  CHECK_THAT(result.err, Contains(taken.path()) && Contains("built-in catalog"));
}

TEST_CASE("info shows a row") {
  const Result result = run_swinzoo({"info", "timm/swinv2_base_window12to16_192to256.ms_in22k_ft_in1k"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, StartsWith("swinv2_base_window12to16_192to256.ms_in22k_ft_in1k\n") &&
                             Contains("windows 12, 12, 12, 6") && Contains("classification, 1000 classes") &&
                             Contains("shorter side to 284, bicubic; centre 256x256") &&
                             Contains("hf:timm/swinv2_base_window12to16_192to256.ms_in22k_ft_in1k"));
}

TEST_CASE("info as JSON is the spec with its counts") {
  const json::array results =
      results_of(run_swinzoo({"info", "hf:microsoft/swin-base-patch4-window12-384", "--json"}));
  REQUIRE(results.size() == 1);
  CHECK(results[0].at("id") == "microsoft/swin-base-patch4-window12-384");
  CHECK(results[0].at("dimensions").at("image_size") == 384);
  CHECK(results[0].at("preprocessing").at("crop_mode") == "squash");
  CHECK(results[0].as_object().contains("params"));
}

TEST_CASE("info of an unknown entry ends in 3 with a suggestion") {
  const Result result = run_swinzoo({"info", "microsoft/swin-tiny-patch4-window7-244"});
  CHECK(result.status == 3);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Contains("did you mean 'microsoft/swin-tiny-patch4-window7-224'?"));
  CHECK(run_swinzoo({"info"}).status == 2);
}
