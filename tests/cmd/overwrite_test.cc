// What -o is pointed at, by the real binary: files that are read too, links, pipes, devices.
#include "cmd/overwrite.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "eval/history.h"
#include "eval/run_writer.h"
#include "tests/cmd/results.h"
#include "tests/environment.h"
#include "tests/error_code.h"
#include "tests/eval/made_runs.h"
#include "tests/eval_folder.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  std::string weights = model + "/model.safetensors";

  Fixture() { write_model(model); }

  std::string write(const std::string& name, const std::string& text) const {
    write_text(folder.path() / name, text);
    return folder.path() / name;
  }
};

// The command would write over `kept`: it says so, and does nothing.
void check_refused(std::vector<std::string> words, const fs::path& kept) {
  CAPTURE(words);
  const std::string before = sha256_of(read_text(kept));
  words.emplace_back("-q");
  const Result result = run_swinzoo(words);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Contains(words.at(words.size() - 2) + ": is read, and would be overwritten"));
  CHECK(sha256_of(read_text(kept)) == before);
}

}  // namespace

TEST_CASE("an output that is an input is refused by any of its names") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "file", other = folder.path() / "other";
  write_text(file, "text");
  write_text(other, "text");
  fs::create_symlink("file", folder.path() / "link");
  fs::create_hard_link(file, folder.path() / "hard");
  const auto code = [&](const fs::path& output, std::vector<fs::path> inputs) {
    return code_of([&] { cmd::require_not_an_input(output, inputs); });
  };
  for (const char* name : {"file", "link", "hard", "./file"})
    CHECK(code(folder.path() / name, {other, file}) == ErrorCode::kUsage);
  CHECK(code(file, {folder.path() / "link"}) == ErrorCode::kUsage);
  CHECK_FALSE(code(file, {other, "", folder.path(), folder.path() / "none"}));
  CHECK_FALSE(code(folder.path() / "none", {folder.path() / "none"}));
  CHECK_FALSE(code("", {""}));
}

TEST_CASE("bench and predict keep the models and images that they read") {
  const Fixture made;
  const std::string image = SWINZOO_TEST_DATA "/preprocess/images/baseline_420.jpg";
  const std::string weights = made.weights;
  check_refused({"bench", weights, "--iterations", "1", "-o", weights}, weights);
  check_refused({"bench", made.model, "--iterations", "1", "-o", weights}, weights);
  const std::string config = made.model + "/config.json";
  check_refused({"bench", made.model, "--iterations", "1", "-o", config}, config);
  const std::string picture = made.write("picture.jpg", read_text(image));
  check_refused({"bench", weights, "--iterations", "1", "--with-preprocessing", picture, "-o", picture},
                picture);
  check_refused({"predict", weights, picture, "-o", weights}, weights);
  check_refused({"predict", weights, picture, "-o", picture}, picture);
  check_refused({"predict", weights, picture, "--attention-map", picture}, picture);
}

TEST_CASE("eval keeps the models, lists and evaluations that it reads") {
  const EvalFolder made;
  const auto eval = [&](std::vector<std::string> more, const fs::path& kept) {
    more.insert(more.begin(), {"eval", made.model, "--data", made.data});
    check_refused(more, kept);
  };
  const std::string weights = made.model + "/model.safetensors";
  const std::string map = made.folder.path() / "map.txt";
  write_text(map, "a\nb\nc\nd\ne\n");
  eval({"-o", weights}, weights);
  eval({"--per-class", weights}, weights);
  eval({"--class-map", map, "-o", map}, map);
  const std::string result = made.folder.path() / "run.json";
  write_text(result, "{}");
  eval({"-o", result, "--per-class", result}, result);
  REQUIRE(made.eval({"-o", made.runs()}).status == 5);
  const std::string kept = made.evaluation() / "result.json";
  check_refused({"eval", "--rescore", made.runs(), "-o", kept}, kept);
}

TEST_CASE("report, compare and history keep the results that they read") {
  const Fixture made;
  const std::vector<eval::Run> runs = {eval::made_bench()};
  const std::string a = made.write("a.json", eval::to_json(runs));
  const std::string b = made.write("runs/m/bench.json", eval::to_json(runs));
  const std::string all = made.folder.path() / "runs";
  check_refused({"report", a, "-o", a}, a);
  check_refused({"report", a, all, "-o", b}, b);
  check_refused({"compare", a, b, "-o", a}, a);
  check_refused({"compare", a, all, "-o", b}, b);
  check_refused({"compare", a, a, "--base", b, "-o", b}, b);
  const std::string db = made.folder.path() / "h.db";
  eval::History::open_or_make(db).add(runs, "");
  for (const char* command : {"export", "show"}) {
    const EnvironmentVariable history("SWINZOO_HISTORY", db);
    check_refused({"history", command, "-o", db}, db);
  }
}

TEST_CASE("bench writes all its results to a pipe, at the end and once") {
  const Fixture made;
  const fs::path pipe = made.folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string found;
  std::thread reader([&] { found = read_text(pipe); });
  const Result result = run_swinzoo({"bench", made.model, "--batch", "1,2", "--iterations", "1", "--warmup",
                                     "0", "--json", "-q", "-o", pipe});
  reader.join();
  CHECK(result.status == 0);
  CHECK(results_of(result).size() == 2);
  CHECK(found == result.out);
  CHECK(fs::is_fifo(pipe));
}

TEST_CASE("what is written to a full device is no success, and the device stays") {
  const Fixture made;
  const fs::path full = made.folder.path() / "full";
  if (::mknod(full.c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0) {
    WARN("only root makes devices: not tested");
    return;
  }
  const Result result = run_swinzoo({"bench", made.model, "--iterations", "1", "-q", "-o", full});
  CHECK(result.status == 6);
  CHECK_THAT(result.err, Contains(full.string()));
  CHECK(fs::is_character_file(full));
}
