#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "cmd/project_file.h"
#include "eval/run_writer.h"
#include "tests/cmd/results.h"
#include "tests/error_code.h"
#include "tests/process.h"
#include "tests/text_files.h"

using namespace swinzoo;
namespace fs = std::filesystem;

namespace {

// A results document of one bench whose calls take so long.
std::string bench_document(double latency) {
  eval::Run run;
  run.kind = "bench";
  run.model = "m";
  eval::Samples samples;
  for (int i = 0; i < 50; ++i) samples.ms.push_back(latency * (1 + 0.001 * (i % 5)));
  samples.seconds = 1;
  set_timing(run, samples, 1, std::nullopt);
  run.peak_memory_mb = 100;
  return eval::to_json(std::span(&run, 1));
}

std::string eval_document(int wrong) {
  eval::Run run;
  run.kind = "eval";
  run.model = "m";
  run.data = "images";
  set_accuracy(run, 200, 200 - wrong, 200);
  for (int i = 0; i < 200; ++i) {
    eval::EvalSample& sample = run.samples.emplace_back();
    sample.path = "i" + std::to_string(i) + ".jpg";
    sample.label = 1;
    sample.top5 = i < wrong ? std::vector<int64_t>{2, 1} : std::vector<int64_t>{1, 2};
  }
  return eval::to_json(std::span(&run, 1));
}

struct Files {
  TemporaryFolder folder;

  std::string write(const std::string& name, const std::string& text) const {
    const fs::path path = folder.path() / name;
    fs::create_directories(path.parent_path());
    write_text(path, text);
    return path.string();
  }
};

}  // namespace

TEST_CASE("compare ends with 0, 10, 11 or 12") {
  const Files files;
  const std::string fast = files.write("fast.json", bench_document(2));
  const std::string slow = files.write("slow.json", bench_document(4));
  const std::string good = files.write("good.json", eval_document(0));
  const std::string bad = files.write("bad.json", eval_document(20));
  CHECK(run_swinzoo({"compare", fast, slow}).status == 11);
  CHECK(run_swinzoo({"compare", good, bad}).status == 10);
  CHECK(run_swinzoo({"compare", good, good}).status == 0);
  CHECK(run_swinzoo({"compare", fast, fast}).status == 12);
  CHECK(run_swinzoo({"compare", fast, fast, "--allow-inconclusive"}).status == 0);
  CHECK(run_swinzoo({"compare", fast, fast, "--noise", "1%"}).status == 0);
  CHECK(run_swinzoo({"compare", fast, slow, "--fail-on", "memory>5%"}).status == 0);
  const Result unjudged = run_swinzoo({"compare", fast, slow, "--fail-on", "accuracy>0.1"});
  CHECK(unjudged.status == 12);
  CHECK_THAT(unjudged.out, Catch::Contains("nothing was judged"));
  CHECK(run_swinzoo({"compare", good, bad, "--fail-on", "accuracy>20"}).status == 0);
  const Result flipped = run_swinzoo({"compare", good, bad});
  CHECK_THAT(flipped.out,
             Catch::Contains("20 images right only in base:\n  i0.jpg: 1 in base, 2 in the new"));
  CHECK(flipped.err.empty());
}

TEST_CASE("compare takes folders of results, and several new sides") {
  const Files files;
  files.write("a/m/bench.json", bench_document(2));
  files.write("a/m/eval/result.json", eval_document(0));
  files.write("b/m/bench.json", bench_document(4));
  files.write("b/m/eval/result.json", eval_document(30));
  const auto path = [&](const char* name) { return (files.folder.path() / name).string(); };
  const Result result = run_swinzoo({"compare", path("a"), path("a"), path("b"), "--json"});
  CHECK(result.status == 10);
  const json::array results = results_of(result);
  CHECK(results.size() == 4);
}

TEST_CASE("a new side that failed altogether is inconclusive, with the reason, in every form") {
  const Files files;
  const std::string base = files.write("base.json", bench_document(2));
  eval::Run run;
  run.kind = "bench";
  run.model = "models/m";
  run.error = "the file is truncated";
  const std::string failed = files.write("failed.json", eval::to_json(std::span(&run, 1)));
  const auto path = [&](const char* name) { return (files.folder.path() / name).string(); };
  const Result result = run_swinzoo({"compare", base, failed, "-o", path("o.md"), "-o", path("o.xml")});
  CHECK(result.status == 12);
  for (const std::string& text : {result.out, read_text(path("o.md")), read_text(path("o.xml"))})
    CHECK_THAT(text, Catch::Contains("the new side failed: the file is truncated"));
  const Result nothing = run_swinzoo({"compare", failed, base});
  CHECK(nothing.status == 1);
  CHECK_THAT(nothing.err, Catch::Contains("no result to compare with; the first failed: the file is trunc"));
}

TEST_CASE("compare writes other forms by the names of files") {
  const Files files;
  const std::string fast = files.write("fast.json", bench_document(2));
  const auto path = [&](const char* name) { return (files.folder.path() / name).string(); };
  run_swinzoo({"compare", fast, fast, "-o", path("o.md"), "-o", path("o.xml"), "-o", path("o.json")});
  CHECK_THAT(read_text(path("o.md")), Catch::StartsWith("### swinzoo compare: inconclusive"));
  CHECK_THAT(read_text(path("o.xml")), Catch::StartsWith("<?xml"));
  CHECK_THAT(read_text(path("o.json")), Catch::StartsWith("{"));
  CHECK(run_swinzoo({"compare", fast, fast, "-o", path("o.pdf")}).status == 2);
}

TEST_CASE("compare says what it can't take") {
  const Files files;
  const std::string fast = files.write("fast.json", bench_document(2));
  CHECK(run_swinzoo({"compare"}).status == 2);
  CHECK(run_swinzoo({"compare", fast}).status == 2);
  CHECK(run_swinzoo({"compare", fast, "/no/such.json"}).status == 3);
  CHECK(run_swinzoo({"compare", fast, fast, "--fail-on", "speed>3%"}).status == 2);
  CHECK(run_swinzoo({"compare", fast, fast, "--noise", "3"}).status == 2);
  CHECK(run_swinzoo({"compare", "--run", "true"}).status == 2);
  CHECK(run_swinzoo({"compare", "--run", "/no/such", "--run", "true"}).status == 3);
  const Result failing = run_swinzoo({"compare", "--run", "sh -c 'echo oops >&2; exit 9'", "--run", "true"});
  CHECK(failing.status == 1);
  CHECK_THAT(failing.err, Catch::Contains("exit status 9: oops"));
}

TEST_CASE("a bench or eval to compare can't write to a file, where it would find another side's results") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"bench", "m", "-o", "runs/"},
                                                {"bench", "m", "-oruns/"},
                                                {"eval", "m", "--output=runs/"},
                                                {"eval", "m", "--output", "runs/"}}) {
    INFO(words.back());
    std::vector<std::string> arguments = {"compare", "--run", "echo a", "--run", "echo b", "--"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const Result result = run_swinzoo(arguments);
    CHECK(result.status == 2);
    CHECK_THAT(result.err, Catch::Contains("can't write to a file"));
  }
  CHECK(run_swinzoo({"compare", "--run", "true bench m -o runs/", "--run", "true bench m"}).status == 2);
  CHECK(run_swinzoo({"compare", "--seconds", "1", "--run", "true -o x", "--run", "true -o x"}).status != 2);
}

TEST_CASE("compare --run measures benches by turns") {
  const Files files;
  // Programs that take `bench` and print a result each time: the figures wander, and the slow one is 10%
  // slower.
  const auto program = [&](const char* name, double latency) {
    const std::string count = (files.folder.path() / (std::string(name) + ".count")).string();
    return "sh " + files.write(name, fmt::format(R"(n=$(cat {0} 2>/dev/null || echo 0); echo $((n + 1)) > {0}
[ "$1 $2 $3" = "bench model --batch" ] || exit 2
printf '{{"schema": 1, "results": [{{"kind": "bench", "model": "m", "batch": 1, "median_ms": {1}%d}}]}}\n' $((n * 7 % 10))
)",
                                                 count, latency));
  };
  const std::string base = program("base.sh", 2.05);
  const std::string same = program("same.sh", 2.05);
  const std::string slow = program("slow.sh", 2.35);
  const auto compare = [&](const std::string& next) {
    return run_swinzoo({"compare", "--seconds", "9", "--json", "--run", base, "--run", next, "--", "bench",
                        "model", "--batch", "1"});
  };
  const Result worse = compare(slow);
  CHECK(worse.status == 11);
  const json::value row = results_of(worse).at(0).at("measures").at(0);
  CHECK(row.at("measure") == "latency");
  CHECK(row.at("verdict") == "worse");
  CHECK(row.at("confirmed") == true);
  CHECK(as_number(row.at("worse_by"), "worse_by") == Approx(14.6).margin(1));
  CHECK(compare(same).status == 0);
}

TEST_CASE("compare --run evaluates once, and times any other program") {
  const Files files;
  const std::string good = "cat " + files.write("good.json", eval_document(0));
  const std::string bad = "cat " + files.write("bad.json", eval_document(20));
  files.write("eval", "");
  // `cat FILE eval --format json --samples` fails on its other arguments, so they go through a script.
  const auto program = [&](const char* name, const std::string& command) {
    return "sh " + files.write(name, command + "\n");
  };
  const std::string a = program("a.sh", good), b = program("b.sh", bad);
  CHECK(run_swinzoo({"compare", "--run", a, "--run", b, "--", "eval", "model"}).status == 10);
  CHECK(run_swinzoo({"compare", "--run", a, "--run", a, "--", "eval", "model"}).status == 0);
  const Result timed = run_swinzoo({"compare", "--seconds", "1", "--json", "--run", "true", "--run", "true"});
  const json::array results = results_of(timed);
  CHECK(results.at(0).at("configuration") == "process");
}

TEST_CASE("compare --run tells no memory that is not the command's own") {
  const auto measures = [](const char* command) {
    std::vector<std::string> names;
    const Result result =
        run_swinzoo({"compare", "--seconds", "1", "--json", "--run", command, "--run", command});
    const json::array results = results_of(result);
    for (const json::value& row : results.at(0).at("measures").as_array())
      names.emplace_back(as_string(row.at("measure"), "measure"));
    return names;
  };
  CHECK(measures("true") == std::vector<std::string>{"latency"});
  CHECK(measures("dd if=/dev/zero of=/dev/null count=1 bs=400M") ==
        std::vector<std::string>{"latency", "memory"});
}

TEST_CASE("compare --run takes an evaluation that left images out, whatever their names are") {
  const Files files;
  std::string document = eval_document(0);
  document.replace(document.find("i7.jpg"), 6, "i\xff.jpg");
  const std::string results = files.write("results.json", document);
  const std::string some = "sh " + files.write("some.sh", "cat " + results + "\nexit 5\n");
  const Result result = run_swinzoo({"compare", "--run", some, "--run", some, "--", "eval", "model"});
  CHECK(result.status == 0);
  CHECK(result.err.empty());
  const std::string none = "sh " + files.write("none.sh", "echo damaged >&2\nexit 5\n");
  const Result damaged = run_swinzoo({"compare", "--run", some, "--run", none, "--", "eval", "model"});
  CHECK(damaged.status == 1);
  CHECK_THAT(damaged.err, Catch::Contains("exit status 5: damaged"));
}

TEST_CASE("a signal to compare ends the command that it runs") {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Files files;
    const std::string pid_file = (files.folder.path() / "pid").string();
    const std::string command =
        "sh " +
        files.write("long.sh", fmt::format("echo $$ > {0}.new\nmv {0}.new {0}\nexec sleep 1000\n", pid_file));
    Process compare({SWINZOO_BINARY, "compare", "--run", command, "--run", command}, {});
    while (!fs::exists(pid_file)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    compare.send_signal(signal);
    CHECK(compare.wait() == 130);
    CHECK(::kill(std::stoi(read_text(pid_file)), 0) == -1);
  }
}

TEST_CASE("swinzoo.toml is found from below, and flags win over it") {
  const Files files;
  files.write("swinzoo.toml", "[compare]\nfail-on = \"memory>5%\"\nnoise = \"2%\"\nseconds = 30\n");
  fs::create_directories(files.folder.path() / "a/b");
  const cmd::ProjectFile project = cmd::read_project_file(files.folder.path() / "a/b");
  CHECK(project.path == (files.folder.path() / "swinzoo.toml").string());
  CHECK(project.compare_fail_on == "memory>5%");
  CHECK(project.compare_noise == "2%");
  CHECK(project.compare_seconds == 30.0);

  const std::string fast = files.write("fast.json", bench_document(2));
  const std::string slow = files.write("slow.json", bench_document(4));
  const auto compare = [&](const std::string& more) {
    Process process({"/bin/sh", "-c",
                     fmt::format("cd {}/a/b && exec {} compare {} {} {}", files.folder.path().string(),
                                 SWINZOO_BINARY, fast, slow, more)},
                    {});
    return process.wait();
  };
  CHECK(compare("") == 0);
  CHECK(compare("--fail-on 'latency>3%'") == 11);
  files.write("a/swinzoo.toml", "[compare]\nfail-on = \"latency>3\"\n");
  CHECK(compare("") == 2);
}

TEST_CASE("compare refuses rules that say nothing, and numbers that are none") {
  const Files files;
  const std::string result = files.write("a.json", bench_document(2));
  const auto check_refused = [&](const std::string& option, const std::string& value) {
    INFO(option << " " << value);
    const Result refused = run_swinzoo({"compare", result, result, option, value});
    CHECK(refused.status == 2);
    CHECK(refused.out.empty());
    CHECK_THAT(refused.err, Catch::Contains(option));
  };
  for (const char* option : {"--fail-on", "--noise", "--seconds", "--seed"}) check_refused(option, "");
  for (const char* value : {"nan", "-nan", "inf", "0.5", "86401"}) check_refused("--seconds", value);
  for (const char* value : {"-1", " -1", "18446744073709551616", "nan"}) check_refused("--seed", value);
  CHECK(run_swinzoo({"compare", result, result, "--seed", "18446744073709551615"}).status == 12);
}

TEST_CASE("a swinzoo.toml that is wrong is refused by file and line") {
  const Files files;
  for (const auto& [bad, said] : std::vector<std::pair<std::string, std::string>>{
           {"[compare\n", ":1: "},
           {"[compare]\n\nnose = \"2%\"\n",
            ":3: [compare] has fail-on, noise, seconds, not 'nose'; did you mean 'noise'?"},
           {"[compare]\nnoise = 2\n", ":2: noise: expected a text"},
           {"[compare]\nseconds = \"2\"\n", ":2: seconds: expected a number"},
           {"[compare]\nseconds = 0\n", ":2: seconds: expected 1 to 86400"},
           {"\n[comapre]\nnoise = \"2%\"\n",
            ":2: [compare] is the only table, there is no 'comapre'; did you mean 'compare'?"},
           {"fail-on = \"latency>3%\"\n", ":1: 'fail-on' belongs under [compare]"},
           {"compare = 3\n", ":1: compare: expected one table, [compare]"},
           {"[[compare]]\nnoise = \"2%\"\n", ":1: compare: expected one table, [compare]"}}) {
    INFO(bad);
    files.write("swinzoo.toml", bad);
    CHECK_THROWS_WITH(cmd::read_project_file(files.folder.path()),
                      Catch::StartsWith((files.folder.path() / "swinzoo.toml").string() + said));
    CHECK(code_of([&] { cmd::read_project_file(files.folder.path()); }) == ErrorCode::kUsage);
  }
}

TEST_CASE("compare finds the samples of evaluations in folders") {
  const Files files;
  for (const auto& [side, wrong] : {std::pair("a", 0), std::pair("b", 20)}) {
    eval::Run run = eval::runs_of(parse_json(eval_document(wrong), "made"), "made").front();
    std::string lines;
    for (const eval::EvalSample& sample : run.samples) lines += to_json_line(eval::to_value(sample)) + "\n";
    run.samples.clear();
    files.write(fmt::format("{}/m/eval/samples.jsonl", side), lines);
    files.write(fmt::format("{}/m/eval/result.json", side), eval::to_json(std::span(&run, 1)));
  }
  const auto path = [&](const char* name) { return (files.folder.path() / name).string(); };
  const Result result = run_swinzoo({"compare", path("a"), path("b")});
  CHECK(result.status == 10);
  CHECK_THAT(result.out, Catch::Contains("20 images right only in base"));
}
