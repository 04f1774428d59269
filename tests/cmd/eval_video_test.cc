// swinzoo eval on videos, against the authors' model on the same pixels (tests/data/make_video_cases.py).
#include <fmt/format.h>

#include <algorithm>
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
using Strings = std::vector<std::string>;
namespace fs = std::filesystem;

namespace {

const std::string kModel = SWINZOO_TEST_DATA "/golden/video_swin_mini_odd";

std::vector<double> numbers_of(const json::value& values) {
  std::vector<double> numbers;
  for (const json::value& value : values.as_array()) numbers.push_back(value.as_double());
  return numbers;
}

std::vector<double> probabilities_of(const std::string& clip, const std::string& recipe) {
  return numbers_of(eval::clips().at(clip).as_object().at(recipe).as_object().at("probabilities"));
}

int64_t best_of(const std::vector<double>& values) {
  return std::ranges::max_element(values) - values.begin();
}

// As mmaction2 writes it: each clip with the class that the authors' model finds by kinetics; the third with
// a second class beside it, the last with a wrong one.
std::string list_of_clips() {
  std::string list;
  size_t clip = 0;
  for (const auto& [name, value] : eval::clips()) {
    const int64_t best = best_of(probabilities_of(name, "kinetics"));
    const bool is_last = ++clip == eval::clips().size();
    list += fmt::format("{} {}{}\n", std::string_view(name), is_last ? (best + 1) % 5 : best,
                        clip == 3 ? fmt::format(" {}", (best + 2) % 5) : std::string());
  }
  return list;
}

json::object result_of(const Result& result, int status = 0) {
  REQUIRE(result.status == status);
  return parse_json(result.out, "stdout").as_object().at("results").as_array().at(0).as_object();
}

int status_of(const Result& result, const std::string& said) {
  CHECK_THAT(result.err, Catch::Contains(said));
  return result.status;
}

}  // namespace

TEST_CASE("eval measures the videos of a list of mmaction2 as the authors' model does") {
  const TemporaryFolder folder;
  const std::string list = folder.path() / "val_list.txt";
  write_text(list, list_of_clips());
  const auto clips = static_cast<int64_t>(eval::clips().size());
  for (const std::string recipe : {"kinetics", "ssv2"}) {
    for (const char* batch : {"1", "5", "64"}) {
      const json::object result =
          result_of(run_swinzoo({"eval", kModel, "--data", kClips, "--labels", list, "--recipe", recipe, "-b",
                                 batch, "--samples", "--json"}));
      CHECK(result.at("count").as_int64() == clips);
      CHECK(result.at("recipe").as_string() == recipe);
      CHECK_THAT(std::string(result.at("preprocessing").as_string()), Catch::Contains("libavcodec"));
      if (recipe == "kinetics")
        CHECK(result.at("top1").to_number<double>() == Approx(100.0 * (clips - 1) / clips));
      for (const json::value& value : result.at("samples").as_array()) {
        const json::object& sample = value.as_object();
        const std::string clip(sample.at("path").as_string());
        INFO(recipe << " " << clip);
        const std::vector<double> expected = probabilities_of(clip, recipe);
        const json::array& top = sample.at("top5").as_array();
        REQUIRE(top.size() == 5);
        CHECK(top[0].as_int64() == best_of(expected));
        for (size_t i = 0; i < 5; ++i) {
          const double found = sample.at("logits").as_array()[i].to_number<double>();
          CHECK(std::abs(found - expected[static_cast<size_t>(top[i].as_int64())]) < 2e-6);
        }
      }
    }
  }
}

TEST_CASE("scores of a video's views are averaged where asked for, as predict shows them") {
  const TemporaryFolder folder;
  const std::string clip(eval::clips().begin()->key());
  write_text(folder.path() / "list.txt", clip + " 0\n");
  const json::object result =
      result_of(run_swinzoo({"eval", kModel, "--data", kClips, "--labels", folder.path() / "list.txt",
                             "--average", "scores", "--samples", "--json"}));
  CHECK(result.at("recipe").as_string() == "kinetics, mean scores");
  const json::object sample = result.at("samples").as_array().at(0).as_object();
  const json::object shown =
      result_of(run_swinzoo({"predict", kModel, std::string(kClips / clip), "--topk", "5", "--json"}));
  REQUIRE(shown.at("top").as_array().size() == 5);
  for (const json::value& row : shown.at("top").as_array()) {
    const json::array& top = sample.at("top5").as_array();
    const auto place = static_cast<size_t>(std::ranges::find(top, row.at("class")) - top.begin());
    REQUIRE(place < top.size());
    CHECK(sample.at("logits").as_array()[place].to_number<double>() ==
          Approx(row.at("logit").to_number<double>()).margin(1e-4));
  }
  CHECK(run_swinzoo({"eval", kModel, "--data", kClips, "--average", "both"}).status == 2);
}

TEST_CASE("a list alone has its videos beside it") {
  const TemporaryFolder folder;
  fs::copy(kClips, folder.path() / "clips");
  write_text(folder.path() / "clips" / "list.txt", list_of_clips());
  const auto all = static_cast<int64_t>(eval::clips().size());
  const std::string list = folder.path() / "clips" / "list.txt";
  const json::object result = result_of(run_swinzoo({"eval", kModel, "--data", list, "--json"}));
  CHECK(result.at("count").as_int64() == all);
  CHECK(result.at("recipe").as_string() == "kinetics");
}

TEST_CASE("broken and missing clips are listed, and do not count") {
  const TemporaryFolder folder;
  fs::copy(kClips / "short.mp4", folder.path() / "good.mp4");
  const std::string whole = read_text(kClips / "tall.webm");
  write_text(folder.path() / "cut.webm", whole.substr(0, whole.size() / 2));
  write_text(folder.path() / "empty.mp4", "");
  write_text(folder.path() / "text.mp4", "no video\n");
  fs::create_directory(folder.path() / "frames");
  write_text(folder.path() / "list.txt",
             "cut.webm 0\ngood.mp4 1\nempty.mp4 2\ntext.mp4 3\nframes 4\nmissing.mp4 0\n");
  const Result run = run_swinzoo({"eval", kModel, "--data", folder.path() / "list.txt", "--json"});
  const json::object result = result_of(run, 5);
  CHECK(result.at("count").as_int64() == 1);
  Strings skipped;
  for (const json::value& value : result.at("skipped").as_array()) {
    skipped.emplace_back(value.as_object().at("path").as_string());
    CHECK_THAT(std::string(value.as_object().at("error").as_string()),
               Catch::Contains(skipped.back() + ": "));
  }
  CHECK(skipped == Strings{"cut.webm", "empty.mp4", "text.mp4", "frames", "missing.mp4"});
  CHECK(std::ranges::count(run.err, '\n') == 1);  // FFmpeg itself is quiet
}

TEST_CASE("k-NN of a model of clips goes by the mean embedding of a video's views") {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, int64_t>> train = {{"a/short.mp4", 0},
                                                              {"a/tall.webm", 0},
                                                              {"b/mpeg4.avi", 1},
                                                              {"b/ten_bits.mp4", 1},
                                                              {"b/wide_b_frames.mp4", 1}};
  Strings predict = {"predict",   kModel,      "--recipe", "ssv2",
                     "--outputs", "embedding", "-o",       folder.path() / "e.safetensors"};
  for (const auto& [path, id] : train) {
    fs::create_directories((folder.path() / "train" / path).parent_path());
    fs::copy(kClips / fs::path(path).filename(), folder.path() / "train" / path);
    predict.push_back(folder.path() / "train" / path);
  }
  fs::create_directories(folder.path() / "val" / "a");
  fs::copy(kClips / "interlaced.mp4", folder.path() / "val" / "a" / "interlaced.mp4");
  predict.push_back(folder.path() / "val" / "a" / "interlaced.mp4");
  REQUIRE(run_swinzoo(predict).status == 0);

  const auto file = open_checkpoint(folder.path() / "e.safetensors");
  Tensor scratch;
  const TensorView rows = file->read(static_cast<size_t>(file->find("embedding")), scratch);
  const auto width = static_cast<size_t>(rows.shape.at(1));
  std::vector<std::vector<double>> units;
  for (size_t video = 0; video <= train.size(); ++video) {
    std::vector<double>& unit = units.emplace_back(width);
    for (size_t i = 0; i < 3 * width; ++i) unit[i % width] += rows.as<float>()[video * 3 * width + i];
    double squares = 0;
    for (const double value : unit) squares += value * value;
    for (double& value : unit) value /= std::sqrt(squares);
  }
  std::map<int64_t, double> votes;
  for (size_t i = 0; i < train.size(); ++i) {
    double cosine = 0;
    for (size_t k = 0; k < width; ++k) cosine += units[i][k] * units.back()[k];
    votes[train[i].second] += std::exp(cosine / 0.07);
  }

  const json::object result =
      result_of(run_swinzoo({"eval", kModel, "--data", folder.path() / "val", "--train",
                             folder.path() / "train", "--recipe", "ssv2", "--samples", "--json"}));
  CHECK(result.at("classifier").as_string() == "k-NN");
  CHECK(result.at("train_count").as_int64() == 5);
  const json::object& sample = result.at("samples").as_array().at(0).as_object();
  for (size_t i = 0; i < 2; ++i) {
    const int64_t id = sample.at("top5").as_array()[i].as_int64();
    REQUIRE(votes.contains(id));
    CHECK(sample.at("logits").as_array()[i].to_number<double>() == Approx(votes[id]).epsilon(1e-4));
  }
}

TEST_CASE("eval refuses videos where a model takes images, and the other way round") {
  const TemporaryFolder folder;
  const std::string list = folder.path() / "list.txt";
  const std::string images = SWINZOO_TEST_DATA "/imagenet_mini";
  const std::string image_model = SWINZOO_TEST_DATA "/golden/swin_mini_224";
  write_text(list, list_of_clips());
  CHECK(status_of(run_swinzoo({"eval", image_model, "--data", kClips, "--labels", list}),
                  "the model takes images") == 7);
  CHECK(status_of(run_swinzoo({"eval", kModel, "--data", images}), "the model takes clips") == 7);
  CHECK(status_of(run_swinzoo({"eval", image_model, "--data", images, "--recipe", "ssv2"}), "takes images") ==
        2);
  CHECK(status_of(run_swinzoo({"eval", kModel, "--data", kClips, "--labels", list, "--recipe", "k400"}),
                  "kinetics and ssv2") == 2);
  CHECK(status_of(run_swinzoo({"eval", kModel, "--data", kClips, "--labels", list, "--crop-pct", "0.9"}),
                  "--crop-pct") == 2);
  write_text(list, "short.mp4 5\n");
  CHECK(status_of(run_swinzoo({"eval", kModel, "--data", kClips, "--labels", list}), "has label 5") == 5);
}
