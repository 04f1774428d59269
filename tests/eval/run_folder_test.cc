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
  CHECK(model_folder("runs", "..") == fs::path("runs/__"));
  CHECK(model_folder("runs", "../x y.pth") == fs::path("runs/___x_y.pth"));
  CHECK(model_folder("runs", ".hidden/x") == fs::path("runs/_hidden_x"));
  CHECK(model_folder("runs", "/") == fs::path("runs/_"));
}

TEST_CASE("a model has one folder of results, however its path is written; other names stay as they are") {
  for (const char* name : {"y/x.pth", "./y/x.pth", "y//x.pth", "y/./x.pth", "z/../y/x.pth"}) {
    INFO(name);
    CHECK(model_folder("runs", name) == fs::path("runs/y_x.pth"));
  }
  for (const char* name : {"x", "x/", "./x", "./x/", "x/."})
    CHECK(model_folder("runs", name) == fs::path("runs/x"));
  CHECK(model_folder("runs", "sayakpaul/swin/1") == fs::path("runs/sayakpaul_swin_1"));
  CHECK(model_folder("runs", "https://host/a/../x.pth") == fs::path("runs/https___host_a_.._x.pth"));
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

TEST_CASE("samples beside a result are read where asked for, unless it holds its own") {
  const TemporaryFolder folder;
  const Run whole = made_eval();
  Run bare = whole;
  bare.samples.clear();
  const fs::path eval = folder.path() / "m" / "eval";
  write_text(eval / "samples.jsonl", to_json_line(to_object(whole.samples[1])) + "\n");
  write_text(eval / "result.json", to_json(std::vector{bare}));
  CHECK(read_all_runs(folder.path()) == std::vector{bare});
  const auto read = [](const fs::path& path) { return read_all_runs(path, ReadSamples::kOfFolderToo); };
  for (const fs::path& path : {folder.path(), eval / "result.json"}) {
    REQUIRE(read(path).size() == 1);
    CHECK(read(path)[0].samples == std::vector{whole.samples[1]});
  }
  write_text(eval / "result.json", to_json(std::vector{whole}));
  CHECK(read(folder.path()) == std::vector{whole});
}
