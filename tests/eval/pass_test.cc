#include "eval/pass.h"

#include <fmt/ranges.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <new>

#include "formats/error.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

// Samples whose inputs are their own number, twice in form 0 and three times in form 1; every seventh can't
// be read.
class Numbers : public SampleReader {
 public:
  explicit Numbers(size_t views = 1) : views_(views) {}
  std::span<const size_t> input_sizes() const override { return sizes_; }
  size_t views() const override { return views_; }
  void read(size_t sample, std::span<const std::span<float>> inputs) const override {
    ++reads;
    if (sample % 7 == 6) fail(ErrorCode::kCorrupt, "sample {}", sample);
    for (const std::span<float>& input : inputs) std::ranges::fill(input, static_cast<float>(sample));
    for (size_t view = 0; view < views_ && !inputs[0].empty(); ++view)
      inputs[0][2 * view] += 0.25f * static_cast<float>(view);
  }
  mutable std::atomic<int> reads = 0;

 private:
  std::vector<size_t> sizes_ = {2, 3};
  size_t views_;
};

// A model that repeats its input's first number, and what it was told.
struct Listener {
  std::vector<std::string> told;
  std::vector<int64_t> counts;
  int batches = 0;

  PassModel model(size_t form, size_t input_size, size_t first = 0) {
    return {form,
            1,
            first,
            [this, input_size](std::span<const float> inputs, int64_t count, std::span<float> outputs) {
              counts.push_back(count);
              for (size_t i = 0; i < static_cast<size_t>(count); ++i) outputs[i] = inputs[i * input_size];
            },
            [this](std::span<const float> rows) { told.push_back(fmt::format("{}", fmt::join(rows, " "))); },
            [this](const std::string& message) { told.push_back(message); },
            [this] { ++batches; }};
  }
};

const std::vector<std::string> kTen = {"0", "1", "2", "3", "4", "5", "sample 6", "7", "8", "9"};

}  // namespace

TEST_CASE("a pass tells every model every sample in order and reads each once") {
  for (const int64_t batch : {1, 3, 4, 10, 64}) {
    const Numbers reader;
    Listener a;
    Listener b;
    Listener late;
    const std::vector<PassModel> models = {a.model(0, 2), b.model(1, 3), late.model(0, 2, 8)};
    std::vector<size_t> progress;
    const auto errors = run_pass(reader, 10, models, {batch, [&](size_t done) { progress.push_back(done); }});
    CHECK(errors == std::vector<std::exception_ptr>(3));
    CHECK(a.told == kTen);
    CHECK(b.told == kTen);
    CHECK(late.told == std::vector<std::string>{"8", "9"});
    CHECK(reader.reads == 10);
    CHECK(progress.back() == 10);
    CHECK(a.batches == std::ssize(progress));
  }
}

TEST_CASE("a pass begins where the least done of its models stands") {
  const Numbers reader;
  Listener a;
  Listener done;
  run_pass(reader, 10, std::vector<PassModel>{a.model(0, 2, 4), done.model(0, 2, 10)}, {3, {}});
  CHECK(reader.reads == 6);
  CHECK(a.told == std::vector<std::string>(kTen.begin() + 4, kTen.end()));
  CHECK(done.told.empty());
}

TEST_CASE("a sample's views reach the model side by side in calls of the batch size") {
  const Numbers reader(5);
  Listener a;
  run_pass(reader, 3, std::vector<PassModel>{a.model(0, 2)}, {2, {}});
  CHECK(a.told == std::vector<std::string>{"0 0.25 0.5 0.75 1", "1 1.25 1.5 1.75 2", "2 2.25 2.5 2.75 3"});
  for (const int64_t count : a.counts) CHECK(count <= 2);
}

TEST_CASE("what one model throws ends the pass for it alone") {
  const Numbers reader;
  Listener good;
  Listener bad;
  Listener full;
  std::vector<PassModel> models = {good.model(0, 2), bad.model(0, 2), full.model(1, 3)};
  models[1].run = [](std::span<const float>, int64_t, std::span<float>) {
    fail(ErrorCode::kUnsupported, "no");
  };
  models[2].after_batch = [] { fail(ErrorCode::kDiskFull, "full"); };
  const auto errors = run_pass(reader, 10, models, {4, {}});
  CHECK_FALSE(errors[0]);
  CHECK_THROWS_WITH(std::rethrow_exception(errors[1]), "no");
  CHECK_THROWS_WITH(std::rethrow_exception(errors[2]), "full");
  CHECK(good.told == kTen);
  CHECK(bad.told.empty());
  CHECK(full.told.size() == 4);

  const Numbers unread;
  models.erase(models.begin());
  run_pass(unread, 1000, models, {4, {}});
  CHECK(unread.reads < 20);
}

TEST_CASE("batches become smaller where a model has no memory for them") {
  const Numbers reader;
  Listener a;
  PassModel model = a.model(0, 2);
  const RunBatch run = model.run;
  model.run = [&run](std::span<const float> inputs, int64_t count, std::span<float> outputs) {
    if (count > 2) throw std::bad_alloc();
    run(inputs, count, outputs);
  };
  const auto errors = run_pass(reader, 10, std::span(&model, 1), {8, {}});
  CHECK_FALSE(errors[0]);
  CHECK(a.told == kTen);
  model.run = [](std::span<const float>, int64_t, std::span<float>) { throw std::bad_alloc(); };
  CHECK_THROWS_AS(std::rethrow_exception(run_pass(reader, 10, std::span(&model, 1), {8, {}})[0]),
                  std::bad_alloc);
}

TEST_CASE("what no sample is to blame for ends the pass after the samples before it") {
  class Failing : public Numbers {
   public:
    void read(size_t sample, std::span<const std::span<float>> inputs) const override {
      if (sample == 5) fail(ErrorCode::kFailed, "the disk is gone");
      Numbers::read(sample, inputs);
    }
  };
  const Failing reader;
  Listener a;
  CHECK_THROWS_WITH(run_pass(reader, 10, std::vector<PassModel>{a.model(0, 2)}, {2, {}}), "the disk is gone");
  CHECK(a.told == std::vector<std::string>(kTen.begin(), kTen.begin() + 4));
}
