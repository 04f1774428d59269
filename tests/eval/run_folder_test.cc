#include "eval/run_folder.h"

#include <catch2/catch.hpp>

#include "eval/run_writer.h"
#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/eval/made_runs.h"
#include "tests/process.h"
#include "tests/text_files.h"

namespace fs = std::filesystem;
using namespace swinzoo;
using namespace swinzoo::eval;

TEST_CASE("a model's folder of results has no character that a shell or a file system minds") {
  CHECK(model_folder("runs", "timm/swin_tiny.ms_in1k") == fs::path("runs/timm_swin_tiny.ms_in1k"));
  CHECK(model_folder("runs", "hf:a/b@main") == fs::path("runs/hf_a_b_main"));
  CHECK(model_folder("runs", "..") == fs::path("runs/.._"));
  CHECK(model_folder("runs", "../x y.pth") == fs::path("runs/.._x_y.pth"));
}

TEST_CASE("a folder of results is what ends in a slash or is a folder") {
  const TemporaryFolder folder;
  CHECK(is_run_folder(folder.path()));
  CHECK(is_run_folder("not/there/"));
  CHECK_FALSE(is_run_folder("not/there"));
  CHECK_FALSE(is_run_folder("run.json"));
  CHECK_FALSE(is_run_folder(""));
}

TEST_CASE("all results of a folder are read, in natural order") {
  const TemporaryFolder folder;
  CHECK(code_of([&] { read_all_runs(folder.path()); }) == ErrorCode::kNotFound);
  Run bench = made_bench();
  Run eval = made_eval();
  const auto text = [](const std::vector<Run>& runs) { return to_json(runs); };
  write_text(folder.path() / "m10" / "bench.json", text({bench, bench}));
  write_text(folder.path() / "m9" / "eval" / "result.json", text({eval}));
  write_text(folder.path() / "m9" / "eval" / "config.json", text({bench}));
  CHECK(read_all_runs(folder.path()) == std::vector{eval, bench, bench});
  CHECK(read_all_runs(folder.path() / "m10" / "bench.json") == std::vector{bench, bench});
  CHECK(code_of([&] { read_all_runs(folder.path() / "m11"); }) == ErrorCode::kNotFound);
}
