// Folders of results: evaluations that are stopped and go on, shards, scoring again; by the real binary.
#include "tests/eval_folder.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "eval/sample_log.h"
#include "formats/npy.h"
#include "tests/cmd/results.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

const fs::path kImages = SWINZOO_TEST_DATA "/preprocess/images";

}  // namespace

TEST_CASE("an evaluation's folder holds every sample and the result") {
  const EvalFolder made;
  const Result result = made.eval({"-o", made.runs(), "--samples", "--keep-logits"});
  CHECK(result.status == 5);
  const json::value run = results_of(result).front();
  const fs::path folder = made.evaluation();
  const auto samples = eval::read_samples(folder / "samples.jsonl");
  REQUIRE(samples.size() == 13);
  CHECK(samples[4].path == "n02/000_cmyk.jpg");
  CHECK(samples[8].path == "n02/damaged.jpg");
  CHECK_THAT(samples[8].error, Contains("damaged.jpg"));
  CHECK(run.at("count") == 12);
  CHECK(run.at("samples").as_array().size() == 12);
  json::object kept = read_json(folder / "result.json").at("results").at(0).as_object();
  CHECK_FALSE(kept.contains("samples"));
  CHECK(kept.at("top1") == run.at("top1"));
  CHECK(kept.contains("peak_memory_mb"));

  const Tensor logits = read_npy(folder / "outputs.npy");
  REQUIRE(logits.shape() == Shape{13, 5});
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto row = logits.as<float>().subspan(5 * i, 5);
    if (!samples[i].error.empty()) CHECK(std::ranges::count(row, 0.0f) == 5);
    for (size_t k = 0; k < samples[i].top5.size(); ++k) {
      CHECK(row[static_cast<size_t>(samples[i].top5[k])] == samples[i].logits[k]);
    }
  }

  const Result again = made.eval({"-o", made.runs()});
  CHECK(again.status == 5);
  CHECK_THAT(again.err, Contains("was done before"));
  CHECK(results_of(again).front() == read_json(folder / "result.json").at("results").at(0).as_object());
}

TEST_CASE("an evaluation goes on after any byte that a kill left it with") {
  const EvalFolder made;
  REQUIRE(made.eval({"-o", made.runs("whole"), "--keep-logits"}).status == 5);
  const std::string samples = read_text(made.evaluation("whole") / "samples.jsonl");
  for (const size_t length : {size_t{0}, size_t{1}, samples.find('\n'), samples.find('\n') + 1,
                              samples.size() / 2, samples.size() - 1, samples.size()}) {
    INFO(length << " of " << samples.size() << " bytes");
    fs::remove_all(made.runs());
    fs::copy(made.runs("whole"), made.runs(), fs::copy_options::recursive);
    const fs::path folder = made.evaluation();
    fs::remove(folder / "result.json");
    write_text(folder / "samples.jsonl", samples.substr(0, length));
    const Result result = made.eval({"-o", made.runs(), "--keep-logits", "-b", "3"});
    CHECK(result.status == 5);
    CHECK(read_text(folder / "samples.jsonl") == samples);
    CHECK(read_text(folder / "outputs.npy") == read_text(made.evaluation("whole") / "outputs.npy"));
    json::object found = steady(folder);
    json::object whole = steady(made.evaluation("whole"));
    found.erase("batch");
    whole.erase("batch");
    CHECK(found == whole);
    const auto kept = std::count(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(length), '\n');
    const json::value run = results_of(result).front();
    CHECK((kept == 0 ? !run.as_object().contains("resumed") : run.at("resumed") == kept));
  }
}

TEST_CASE("an evaluation that is killed again and again loses nothing") { check_killed_evaluation(10, 40); }

TEST_CASE("a folder that was begun otherwise is refused; --restart begins anew") {
  const EvalFolder made;
  const auto refused = [&](const std::vector<std::string>& more, const char* said) {
    const Result result = made.eval(more);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Contains(said));
    return result.status;
  };
  REQUIRE(made.eval({"-o", made.runs()}).status == 5);
  CHECK(refused({"-o", made.runs(), "--limit", "4"}, "samples_digest") == 2);
  CHECK(refused({"-o", made.runs(), "--crop-pct", "0.5"}, "preprocessing") == 2);
  CHECK(refused({"-o", made.runs(), "--backend", "reference"}, "backend") == 2);
  CHECK(refused({"-o", made.runs(), "--shard", "1/2"}, "shard") == 2);
  fs::remove(made.evaluation() / "result.json");
  CHECK(refused({"-o", made.runs(), "--keep-logits"}, "begun without --keep-logits") == 2);
  const std::string samples = read_text(made.evaluation() / "samples.jsonl");
  write_text(made.evaluation() / "samples.jsonl", "{}\n" + samples);
  CHECK(refused({"-o", made.runs()}, "not the samples of this data") == 5);
  write_text(made.evaluation() / "samples.jsonl", "{\n" + samples);
  CHECK(refused({"-o", made.runs()}, "samples.jsonl:1") == 5);
  const json::value run = results_of(made.eval({"-o", made.runs(), "--restart", "--limit", "4"})).front();
  CHECK(run.at("count") == 4);
  CHECK_FALSE(run.as_object().contains("resumed"));
  CHECK(eval::read_samples(made.evaluation() / "samples.jsonl").size() == 4);

  CHECK(refused({"--restart"}, "-o DIR/") == 2);
  CHECK(refused({"--keep-logits", "-o", "run.json"}, "-o DIR/") == 2);
  CHECK(refused({"--shard", "0/2"}, "--shard") == 2);
  CHECK(refused({"--shard", "3/2"}, "--shard") == 2);
  CHECK(refused({"--shard", "1"}, "--shard") == 2);
}

TEST_CASE("two processes don't write one evaluation") {
  const EvalFolder made(100);
  std::vector<std::string> args = made.command({"-o", made.runs(), "-b", "1"});
  args.insert(args.begin(), SWINZOO_BINARY);
  const Process first(args, {});
  for (int i = 0; i < 500 && !(fs::exists(made.runs()) && fs::exists(made.evaluation() / "config.json"));
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  first.send_signal(SIGSTOP);
  const Result second = made.eval({"-o", made.runs()});
  CHECK(second.status == 1);
  CHECK_THAT(second.err, Contains("another process"));
}

TEST_CASE("shards joined are what one run gives") {
  const EvalFolder made(3);
  REQUIRE(made.eval({"-o", made.runs("whole"), "--keep-logits"}).status == 5);
  std::vector<std::string> parts;
  for (const char* shard : {"2/3", "3/3", "1/3"}) {
    parts.push_back(made.runs(fmt::format("part{}", shard[0])));
    const Result result = made.eval({"-o", parts.back(), "--shard", shard, "--keep-logits"});
    CHECK(results_of(result).front().at("shard") == shard);
  }
  std::vector<std::string> merge = {"eval", "--json", "-o", made.runs("joined"), "--merge"};
  merge.insert(merge.end(), parts.begin(), parts.end());
  const Result joined = run_swinzoo(merge);
  CHECK(joined.status == 5);
  for (const char* file : {"samples.jsonl", "outputs.npy"}) {
    CHECK(read_text(made.evaluation("joined") / file) == read_text(made.evaluation("whole") / file));
  }
  CHECK(steady(made.evaluation("joined")) == steady(made.evaluation("whole")));
  CHECK(results_of(joined).front().at("top1") == steady(made.evaluation("whole")).at("top1"));
  CHECK(run_swinzoo(merge).out == joined.out);  // it is there

  const auto refused = [&](std::vector<std::string> folders, const char* said) {
    folders.insert(folders.begin(), {"eval", "-o", made.runs("other"), "--merge"});
    const Result result = run_swinzoo(folders);
    CHECK_THAT(result.err, Contains(said));
    return result.status;
  };
  CHECK(refused({parts[0], parts[2]}, "3/3 is missing") == 2);
  CHECK(refused({parts[0], parts[1]}, "expected 1/3") == 2);
  CHECK(refused({parts[0], parts[0], parts[2]}, "expected 3/3") == 2);
  CHECK(refused({parts[0], made.runs("whole"), parts[1]}, "no shard") == 2);
  CHECK(refused({made.data}, "no evaluation") == 3);
  made.eval({"-o", made.runs("cropped"), "--shard", "1/3", "--crop-pct", "0.5"});
  CHECK(refused({made.runs("cropped"), parts[0], parts[1]}, "preprocessing") == 2);
  const std::string outputs = read_text(made.evaluation("part1") / "outputs.npy");
  fs::copy_file(made.evaluation("whole") / "outputs.npy", made.evaluation("part1") / "outputs.npy",
                fs::copy_options::overwrite_existing);
  CHECK(refused(parts, "expected shape") == 5);
  write_text(made.evaluation("part1") / "outputs.npy", outputs);
  const std::string lines = read_text(made.evaluation("part1") / "samples.jsonl");
  write_text(made.evaluation("part1") / "samples.jsonl", lines.substr(0, lines.find('\n') + 1));
  CHECK(refused(parts, "shard 1/3") == 5);
  write_text(made.evaluation("part1") / "samples.jsonl", lines);
  fs::remove(made.evaluation("part1") / "result.json");
  CHECK(refused(parts, "not complete") == 2);
}

TEST_CASE("an evaluation is scored again by other labels without the model") {
  const EvalFolder made;
  REQUIRE(made.eval({"-o", made.runs()}).status == 5);
  REQUIRE(made.eval({"-o", made.runs("kept"), "--keep-logits"}).status == 5);
  const auto samples = eval::read_samples(made.evaluation() / "samples.jsonl");
  std::string csv;  // what the model said second best is right
  for (const eval::EvalSample& sample : samples) {
    csv += fmt::format("{},{}\n", sample.path, sample.error.empty() ? sample.top5[1] : 0);
  }
  const std::string labels = made.folder.path() / "labels.csv";
  write_text(labels, csv);
  const std::string valid = made.folder.path() / "valid.txt";
  write_text(valid, "0\n3\n4\n2\n");
  fs::rename(made.model, made.model + ".gone");
  fs::rename(made.data, made.data.string() + ".gone");

  const json::value same = results_of(run_swinzoo({"eval", "--rescore", made.runs(), "--json"})).front();
  json::object before = steady(made.evaluation());
  CHECK(same.at("top1") == before.at("top1"));
  CHECK(same.at("classes") == before.at("classes"));
  CHECK(same.at("samples_digest") == before.at("samples_digest"));

  const Result other = run_swinzoo({"eval", "--rescore", made.evaluation(), "--labels", labels, "--json"});
  CHECK(other.status == 5);
  const json::value run = results_of(other).front();
  CHECK(run.at("count") == 12);
  CHECK(as_number(run.at("top1"), "top1") == 0.0);
  CHECK(as_number(run.at("top5"), "top5") == 100.0);
  CHECK(run.at("labelled_by") == "labels.csv, the model's own classes");

  const Result lacking = run_swinzoo({"eval", "--rescore", made.runs(), "--valid-labels", valid});
  CHECK(lacking.status == 2);
  CHECK_THAT(lacking.err, Contains("--keep-logits"));
  const json::value restricted = results_of(run_swinzoo({"eval", "--rescore", made.runs("kept"),
                                                         "--valid-labels", valid, "--json", "--samples"}))
                                     .front();
  fs::rename(made.model + ".gone", made.model);
  fs::rename(made.data.string() + ".gone", made.data);
  const json::value direct = results_of(made.eval({"--valid-labels", valid, "--samples"})).front();
  CHECK(restricted.at("samples") == direct.at("samples"));
  CHECK(restricted.at("top1") == direct.at("top1"));
  CHECK(restricted.at("samples_digest") == direct.at("samples_digest"));
  CHECK(run_swinzoo({"eval", made.model, "--rescore", made.runs()}).status == 2);
  CHECK(run_swinzoo({"eval", "--rescore", "/no/such"}).status == 3);
}

TEST_CASE("several models share a pass and say what each says alone") {
  const EvalFolder made;
  const std::string other = made.folder.path() / "other";
  write_model(other, {.image_size = 64, .seed = 2});
  const std::string third = made.folder.path() / "third";
  write_model(third, {.seed = 3});
  const auto samples_of = [&](const std::vector<std::string>& models) {
    std::vector<std::string> args = {"eval", "--data", made.data, "--json", "--samples", "-b", "4"};
    args.insert(args.begin() + 1, models.begin(), models.end());
    std::vector<json::value> samples;
    for (const json::value& run : results_of(run_swinzoo(args))) samples.push_back(run.at("samples"));
    return samples;
  };
  const auto together = samples_of({made.model, other, third});
  REQUIRE(together.size() == 3);
  CHECK(together[0] == samples_of({made.model})[0]);
  CHECK(together[1] == samples_of({other})[0]);
  CHECK(together[2] == samples_of({third})[0]);
  CHECK(together[0] != together[2]);

  // One of them was stopped half-way; another fails.
  std::vector<std::string> args = {"eval",    made.model, third,       "--data",
                                   made.data, "-o",       made.runs(), "--json"};
  REQUIRE(run_swinzoo(args).status == 5);
  const fs::path stopped =
      made.folder.path() / "runs" / fs::path(made.evaluation()).parent_path().filename() / "eval";
  const std::string whole = read_text(stopped / "samples.jsonl");
  for (const auto& entry : fs::directory_iterator(made.runs()))
    fs::remove(entry.path() / "eval" / "result.json");
  write_text(stopped / "samples.jsonl", whole.substr(0, whole.size() / 2));
  args.insert(args.begin() + 1, "/no/such");
  const Result result = run_swinzoo(args);
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("error: /no/such"));
  const json::array rows = results_of(result);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].at("model") == "/no/such");
  CHECK_THAT(as_string(rows[0].at("error"), "error"), Contains("/no/such"));
  CHECK(fs::exists(fs::path(made.runs()) / "_no_such" / "eval" / "failed.json"));
  CHECK(read_text(stopped / "samples.jsonl") == whole);
}

TEST_CASE("k-NN needs no classifier") {
  const EvalFolder made(4);
  const std::string headless = made.folder.path() / "headless";
  write_model(headless, {.num_classes = 0});
  const std::vector<std::string> args = {"eval",     headless,           "--data", made.data.string(),
                                         "--train",  made.data.string(), "--json", "-o",
                                         made.runs()};
  const Result result = run_swinzoo(args);
  CHECK(result.status == 5);
  const json::value run = results_of(result).front();
  CHECK(run.at("classifier") == "k-NN");
  CHECK(run.at("train_count") == 24);
  CHECK(run.at("count") == 24);
  CHECK(as_number(run.at("top5"), "top5") == 100.0);  // of three classes
  CHECK(eval::read_samples(made.evaluation() / "train" / "samples.jsonl").size() == 25);

  // Stopped while it embedded the training images.
  const std::string whole = read_text(made.evaluation() / "samples.jsonl");
  const std::string train = read_text(made.evaluation() / "train" / "samples.jsonl");
  for (const char* file : {"result.json", "samples.jsonl", "config.json"})
    fs::remove(made.evaluation() / file);
  write_text(made.evaluation() / "train" / "samples.jsonl", train.substr(0, train.size() / 3));
  CHECK(run_swinzoo(args).status == 5);
  CHECK(read_text(made.evaluation() / "samples.jsonl") == whole);
  CHECK(read_text(made.evaluation() / "train" / "samples.jsonl") == train);

  const Result without = run_swinzoo({"eval", headless, "--data", made.data});
  CHECK(without.status == 7);
  CHECK_THAT(without.err, Contains("--train DIR"));
}

TEST_CASE("an evaluation keeps its classes where it is scored again without labels") {
  const EvalFolder made;
  std::string csv;  // no folder's number, and not in order
  for (const char* name : {"n10/000_gray.jpg", "n01/000_rgb.png", "n02/000_cmyk.jpg"}) {
    csv += fmt::format("{},{}\n", name, 4 - csv.size() % 3);
  }
  const std::string list = made.data / "list.csv";
  write_text(list, csv);
  const auto evaluate = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.begin(), {"eval", made.model, "--json", "-o", made.runs(name)});
    return run_swinzoo(more);
  };
  REQUIRE(evaluate("csv", {"--data", list}).status == 0);
  REQUIRE(evaluate("part", {"--data", made.data, "--shard", "2/2"}).status == 5);
  for (const char* name : {"csv", "part"}) {
    const json::value again =
        results_of(run_swinzoo({"eval", "--rescore", made.runs(name), "--json"})).front();
    CHECK(again.at("classes") == steady(made.evaluation(name)).at("classes"));
    CHECK(again.at("top1") == steady(made.evaluation(name)).at("top1"));
  }
  // Names of a part's classes can't be numbered.
  const std::string words = made.folder.path() / "words.csv";
  std::string text;
  for (const eval::EvalSample& sample : eval::read_samples(made.evaluation("part") / "samples.jsonl")) {
    text += sample.path + ",zebra\n";
  }
  write_text(words, text);
  const Result refused = run_swinzoo({"eval", "--rescore", made.runs("part"), "--labels", words});
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Contains("--class-map"));
  CHECK(run_swinzoo({"eval", "--rescore", made.runs("csv"), "-o", made.runs("out")}).status == 2);
  CHECK(run_swinzoo({"eval", "--rescore", made.runs("csv"), "--shard", "1/2"}).status == 2);
}

TEST_CASE("names of files need not be UTF-8") {
  const EvalFolder made;
  fs::copy_file(kImages / "gray.jpg", made.data / "n01" / "caf\xe9.jpg");
  write_text(made.data / "n02" / "caf\xe9.jpg", "no image");
  REQUIRE(made.eval({"-o", made.runs()}).status == 5);
  const std::string samples = read_text(made.evaluation() / "samples.jsonl");
  CHECK_THAT(samples, Contains("caf\xe9.jpg"));
  CHECK_THAT(made.eval({"-o", made.runs()}).err, Contains("was done before"));
  fs::remove(made.evaluation() / "result.json");
  write_text(made.evaluation() / "samples.jsonl", samples.substr(0, samples.size() / 2));
  CHECK(made.eval({"-o", made.runs()}).status == 5);
  CHECK(read_text(made.evaluation() / "samples.jsonl") == samples);
}

TEST_CASE("what a folder of results can't hold is refused before anything is measured") {
  const EvalFolder made;
  const Result twice = run_swinzoo({"eval", made.model, made.model, "--data", made.data, "-o", made.runs()});
  CHECK(twice.status == 2);
  CHECK_THAT(twice.err, Contains("would both be kept"));
  CHECK_FALSE(fs::exists(made.runs()));
  REQUIRE(made.eval({"-o", made.runs()}).status == 5);
  const Result late = made.eval({"-o", made.runs(), "--keep-logits"});
  CHECK(late.status == 2);
  CHECK_THAT(late.err, Contains("begun without --keep-logits"));
  const std::string map = made.folder.path() / "map.txt";
  write_text(map, "n01\nn02\nn10\n");
  CHECK(made.eval({"--train", made.data, "--class-map", map}).status == 2);
}
