#include "tests/eval_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <iterator>
#include <random>
#include <thread>

#include "tests/made_model.h"

namespace fs = std::filesystem;

namespace swinzoo {
namespace {

const fs::path kImages = SWINZOO_TEST_DATA "/preprocess/images";

}  // namespace

EvalFolder::EvalFolder(int copies) {
  write_model(model);
  const std::vector<std::pair<const char*, const char*>> files = {
      {"n01", "baseline_420.jpg"}, {"n01", "rgb.png"},       {"n02", "cmyk.jpg"},
      {"n02", "progressive.jpg"},  {"n10", "very_wide.jpg"}, {"n10", "gray.jpg"}};
  for (int i = 0; i < copies; ++i) {
    for (const auto& [label, name] : files) {
      fs::create_directories(data / label);
      fs::copy_file(kImages / name, data / label / fmt::format("{:03}_{}", i, name));
    }
  }
  write_text(data / "n02" / "damaged.jpg", read_text(kImages / "gray.jpg").substr(0, 300));
}

fs::path EvalFolder::evaluation(const std::string& name) const {
  for (const auto& entry : fs::directory_iterator(runs(name))) return entry.path() / "eval";
  return {};
}

std::vector<std::string> EvalFolder::command(std::vector<std::string> more) const {
  std::vector<std::string> args = {"eval", model, "--data", data.string(), "--threads", "2", "--json"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

json::object steady(const fs::path& evaluation) {
  json::object run = read_json(evaluation / "result.json").at("results").at(0).as_object();
  for (const char* name :
       {"started_at", "load_average", "seconds", "images_per_second", "peak_memory_mb", "resumed"}) {
    run.erase(name);
  }
  return run;
}

void check_killed_evaluation(int kills, int copies) {
  const EvalFolder made(copies);
  std::vector<std::string> args = {SWINZOO_BINARY};
  std::ranges::copy(made.command({"-o", made.runs(), "-b", "2"}), std::back_inserter(args));
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(made.eval({"-o", made.runs("whole"), "-b", "2"}).status == 5);
  const std::chrono::duration<double> whole_time = std::chrono::steady_clock::now() - start;
  // Each process lives for up to three shares of the work, so that most die before the end of it.
  std::mt19937 random(7);
  std::uniform_real_distribution<double> share(0, 3.0 / kills);
  for (int i = 0; i < kills; ++i) {
    Process process(args, {});
    std::this_thread::sleep_for(whole_time * share(random));
    process.send_signal(SIGKILL);
    process.wait();
  }
  CHECK(made.eval({"-o", made.runs(), "-b", "2"}).status == 5);
  CHECK(read_text(made.evaluation() / "samples.jsonl") ==
        read_text(made.evaluation("whole") / "samples.jsonl"));
  CHECK(steady(made.evaluation()) == steady(made.evaluation("whole")));
}

}  // namespace swinzoo
