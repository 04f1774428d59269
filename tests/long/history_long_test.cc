// swinzoo history add, killed again and again while others add.
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>

#include "eval/history.h"
#include "eval/run_writer.h"
#include "tests/eval/made_runs.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;

TEST_CASE("200 kills of writers lose nothing that was said to be added, and add nothing by halves") {
  constexpr int kKills = 200, kWriters = 3, kRuns = 20;
  const TemporaryFolder folder;
  const std::string db = folder.path() / "h.db";
  std::mt19937 random(7);
  std::vector<std::string> acknowledged;
  int killed = 0;
  for (int i = 0; killed < kKills; ++i) {
    std::vector<std::unique_ptr<Process>> writers;
    for (int k = 0; k < kWriters; ++k) {
      std::vector<Run> runs(kRuns, made_bench());
      for (int n = 0; n < kRuns; ++n) {
        runs[n].model = fmt::format("{}_{}", i, k);
        runs[n].batch = n + 1;
        runs[n].samples_ms.assign(2000, 0.123456789 * n);
      }
      const std::string file = folder.path() / fmt::format("{}.json", k);
      write_text(file, to_json(runs));
      writers.push_back(std::make_unique<Process>(
          std::vector<std::string>{SWINZOO_BINARY, "history", "add", file, "--history", db},
          std::map<std::string, std::string>{}));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(1, 120)(random)));
    for (int k = 0; k < kWriters; ++k) {
      if (k > 0) writers[k]->send_signal(SIGKILL);
      const int status = writers[k]->wait();
      if (status == 128 + SIGKILL) ++killed;
      INFO(writers[k]->err());
      CHECK((status == 0 || (k > 0 && status == 128 + SIGKILL)));
      if (status == 0) acknowledged.push_back(fmt::format("{}_{}", i, k));
    }
  }
  std::map<std::string, int> found;
  for (const HistoryRow& row : History::open(db).rows({})) ++found[row.run.model];
  for (const auto& [model, count] : found) CHECK(count == kRuns);
  for (const std::string& model : acknowledged) CHECK(found.contains(model));
  CHECK(acknowledged.size() >= 10);
}
