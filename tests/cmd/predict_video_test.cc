// swinzoo predict on videos, against the authors' model on the same pixels (tests/data/make_video_cases.py).
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "formats/checkpoint.h"
#include "tests/eval/video_cases.h"
#include "tests/process.h"
#include "tests/run_binary.h"
#include "tests/text_files.h"

using namespace swinzoo;
using eval::kClips;
namespace fs = std::filesystem;

namespace {

const std::string kModel = SWINZOO_TEST_DATA "/golden/video_swin_mini_odd";

json::array results_of(const Result& result) {
  REQUIRE(result.status == 0);
  return parse_json(result.out, "stdout").as_object().at("results").as_array();
}

// The classes' probabilities in a result, in the classes' order.
std::vector<double> probabilities_in(const json::value& result) {
  std::map<int64_t, double> of_class;
  for (const json::value& row : result.as_object().at("top").as_array()) {
    of_class[row.as_object().at("class").as_int64()] = row.as_object().at("probability").as_double();
  }
  std::vector<double> probabilities;
  for (const auto& [id, probability] : of_class) probabilities.push_back(probability);
  return probabilities;
}

int status_of(const Result& result, const std::string& said) {
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: ") && Catch::Contains(said));
  CHECK(std::ranges::count(result.err, '\n') == 1);  // FFmpeg itself is quiet
  return result.status;
}

}  // namespace

TEST_CASE("predict averages a video's views as the authors' model does") {
  for (const char* recipe : {"kinetics", "ssv2"}) {
    const json::array results =
        results_of(run_swinzoo({"predict", kModel, kClips, "--recipe", recipe, "--json"}));
    REQUIRE(results.size() == eval::clips().size());
    for (const json::value& result : results) {
      const std::string name = fs::path(as_string(result.as_object().at("input"), "input")).filename();
      INFO(recipe << " " << name);
      CHECK(result.as_object().at("recipe").as_string() == recipe);
      CHECK(result.as_object().at("views").as_int64() == (std::string(recipe) == "ssv2" ? 3 : 12));
      const std::vector<double> found = probabilities_in(result);
      const auto& expected =
          eval::clips().at(name).as_object().at(recipe).as_object().at("probabilities").as_array();
      REQUIRE(found.size() == expected.size());
      for (size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i].as_double()) < 2e-6);
    }
  }
}

TEST_CASE("predict writes a row for each of a video's views") {
  const TemporaryFolder folder;
  const std::string out = folder.path() / "out.safetensors";
  const json::array results =
      results_of(run_swinzoo({"predict", kModel, kClips / "tall.webm", kClips / "short.mp4", "--recipe",
                              "ssv2", "--outputs", "logits,embedding", "-o", out, "--json"}));
  const auto file = open_checkpoint(out);
  Tensor scratch;
  const TensorView logits = file->read(static_cast<size_t>(file->find("logits")), scratch);
  CHECK(logits.shape == Shape{6, 5});
  CHECK(file->tensors()[static_cast<size_t>(file->find("embedding"))].shape == Shape{6, 32});
  for (size_t video = 0; video < 2; ++video) {
    for (const json::value& row : results[video].as_object().at("top").as_array()) {
      const auto id = static_cast<size_t>(row.as_object().at("class").as_int64());
      double sum = 0;
      for (size_t view = 0; view < 3; ++view) sum += logits.as<float>()[(video * 3 + view) * 5 + id];
      CHECK(row.as_object().at("logit").as_double() == Approx(sum / 3).margin(1e-6));
    }
  }
}

TEST_CASE("predict tells the views of a video in its text") {
  const Result result = run_swinzoo({"predict", kModel, kClips / "short.mp4", "--topk", "1"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Catch::Contains("short.mp4 (kinetics, 12 views)\nclass  probability   logit\n"));
  CHECK(result.err.empty());
}

TEST_CASE("predict refuses videos and recipes where they don't fit") {
  const TemporaryFolder folder;
  const std::string clip = kClips / "short.mp4";
  const std::string image = SWINZOO_TEST_DATA "/imagenet_mini/5_star/0.jpg";
  const std::string image_model = SWINZOO_TEST_DATA "/golden/swin_mini_224";
  const std::string tensor = kModel + "/input.safetensors";
  CHECK(status_of(run_swinzoo({"predict", image_model, clip}), "takes images, not videos") == 7);
  CHECK(status_of(run_swinzoo({"predict", kModel, image}), "takes clips, not images") == 7);
  CHECK(status_of(run_swinzoo({"predict", kModel, clip, "--recipe", "sthv2"}), "kinetics and ssv2") == 2);
  CHECK(status_of(run_swinzoo({"predict", kModel, tensor, "--recipe", "ssv2"}), "no input is a video") == 2);
  CHECK(status_of(run_swinzoo({"predict", image_model, image, "--recipe", "ssv2"}), "no input is a video") ==
        2);
  CHECK(status_of(run_swinzoo({"predict", kModel, folder.path()}), "holds no videos") == 3);
  CHECK(status_of(run_swinzoo({"predict", kModel, folder.path() / "none.mp4"}), "no such file") == 3);
  const std::string whole = read_text(clip);
  write_text(folder.path() / "cut.mp4", whole.substr(0, whole.size() / 2));
  CHECK(status_of(run_swinzoo({"predict", kModel, folder.path() / "cut.mp4"}), "cut.mp4: ") == 5);
  write_text(folder.path() / "empty.webm", "");
  CHECK(status_of(run_swinzoo({"predict", kModel, folder.path() / "empty.webm"}), "the file is empty") == 5);
}
