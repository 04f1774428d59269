#include "eval/roof_cache.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "eval/machine.h"
#include "formats/atomic_file.h"
#include "formats/json.h"
#include "tests/environment.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;
namespace fs = std::filesystem;

namespace {

// Asks for roofs and counts how often one was measured.
struct Asker {
  TemporaryFolder folder;
  fs::path file = folder.path() / "cache/swinzoo/roof.json";
  int measured = 0;
  bool disturbed = false;

  Roof ask(const Roof& wanted) {
    return cached_roof(file, wanted, [&] {
      ++measured;
      return RoofMeasurement{{100.0 + measured, 10.25 - measured}, disturbed};
    });
  }
};

const Roof kWanted{.cpu = "Some CPU", .isa = "avx2", .threads = 2, .swinzoo_version = "1"};

}  // namespace

TEST_CASE("a roof is measured once for each CPU, instruction set, number of threads and version") {
  Asker asker;
  const Roof first = asker.ask(kWanted);
  CHECK(first == Roof{"Some CPU", "avx2", 2, "1", 101, 9.25});
  CHECK(asker.ask(kWanted) == first);
  CHECK(asker.measured == 1);
  Roof others[] = {kWanted, kWanted, kWanted, kWanted};
  others[0].cpu = "Other";
  others[1].isa = "avx512";
  others[2].threads = 3;
  others[3].swinzoo_version = "2";
  for (const Roof& other : others) {
    const int before = asker.measured;
    CHECK(asker.ask(other).gflops_per_second == 101 + before);
    CHECK(asker.ask(other).gflops_per_second == 101 + before);
  }
  CHECK(asker.measured == 5);
  CHECK(asker.ask(kWanted) == first);
  CHECK(read_json(asker.file).at("roofs").as_array().size() == 5);
  fs::remove(asker.file);
  CHECK(asker.ask(kWanted).gflops_per_second == 106);
}

TEST_CASE("a roof that was disturbed is measured again, and the higher figures are kept") {
  Asker asker;
  asker.disturbed = true;
  CHECK(asker.ask(kWanted) == Roof{"Some CPU", "avx2", 2, "1", 101, 9.25, 1});
  CHECK(asker.ask(kWanted) == Roof{"Some CPU", "avx2", 2, "1", 102, 9.25, 2});
  asker.disturbed = false;
  CHECK(asker.ask(kWanted) == Roof{"Some CPU", "avx2", 2, "1", 103, 9.25, 0});
  asker.ask(kWanted);
  CHECK(asker.measured == 3);

  Asker busy;
  busy.disturbed = true;
  for (int i = 0; i < 9; ++i) busy.ask(kWanted);
  CHECK(busy.measured == 5);
}

TEST_CASE("a file of roofs that is damaged or of another schema is made again") {
  Asker asker;
  asker.ask(kWanted);
  const std::string good = read_text(asker.file);
  std::vector<std::string> bad = {"",
                                  "[]",
                                  "7",
                                  R"({"schema": 2, "roofs": []})",
                                  R"({"schema": 1})",
                                  R"({"schema": 1, "roofs": [{"cpu": 7}]})",
                                  good.substr(0, good.size() / 2)};
  const json::object negative = {
      {"cpu", "Some CPU"},         {"isa", "avx2"},          {"threads", 2}, {"swinzoo_version", "1"},
      {"gflops_per_second", -100}, {"gbytes_per_second", 10}};
  bad.push_back(to_json_line(json::object{{"schema", 1}, {"roofs", json::array{negative}}}));
  for (const std::string& text : bad) {
    INFO(text);
    write_file(asker.file, text);
    const int before = asker.measured;
    CHECK(asker.ask(kWanted).gflops_per_second == 101 + before);
    CHECK(asker.ask(kWanted).gflops_per_second == 101 + before);
    CHECK(read_json(asker.file).at("roofs").as_array().size() == 1);
  }
}

TEST_CASE("where a roof can't be kept it is measured each time") {
  Asker asker;
  std::ofstream(asker.folder.path() / "cache") << "no folder";
  CHECK(asker.ask(kWanted).gflops_per_second == 101);
  CHECK(asker.ask(kWanted).gflops_per_second == 102);
}

TEST_CASE("this machine's roof is looked up where programs keep what can be made again") {
  Asker asker;
  const EnvironmentVariable cache("XDG_CACHE_HOME", (asker.folder.path() / "cache").string());
  const Machine machine = this_machine();
  const Roof kept = asker.ask(
      {.cpu = machine.cpu, .isa = "avx2", .threads = 7, .swinzoo_version = machine.swinzoo_version});
  CHECK(kept.gflops_per_second == 101);
  CHECK(roof_of("avx2", 7) == kept);
}
