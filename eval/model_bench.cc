#include "eval/model_bench.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "eval/preprocess.h"
#include "formats/error.h"
#include "formats/sha256.h"

namespace swinzoo::eval {
namespace {

// An input whose values are spread as those of normalised images are: a sine wave of amplitude 2 over all
// elements.
void make_up(std::span<float> x) {
  float phase = 0;
  for (float& value : x) {
    value = 2.0f * std::sin(phase);
    phase = std::fmod(phase + 0.37f, 6.2831853f);
  }
}

const backends::Output& wanted_output(const backends::Plan& plan) {
  const backends::Output* logits = plan.find_output("logits");
  return logits != nullptr ? *logits : *plan.find_output("embedding");
}

// One stream's calls: what it reads and writes.
class Stream {
 public:
  Stream(const ModelCalls& calls, int number)
      : calls_(calls),
        x_(DType::kF32, calls.executable.plan().input_shape(calls.batch)),
        inputs_(static_cast<size_t>(calls.batch)),
        next_(number * calls.batch),
        arena_(calls.threads_of_stream) {
    const backends::Plan& plan = calls.executable.plan();
    const backends::Output& output = wanted_output(plan);
    result_ = Tensor(DType::kF32, plan.output_shape(output, calls.batch));
    binding_ = {static_cast<size_t>(&output - plan.outputs.data()), result_.as<float>()};
    std::iota(inputs_.begin(), inputs_.end(), 0);
    if (calls.images == nullptr) {
      make_up(x_.as<float>());
    } else {
      const zoo::ModelSpec& spec = calls.images->spec;
      preprocessors_.emplace(Preprocessor(spec.preprocessing, spec.dimensions.image_size));
    }
  }

  void call(backends::StepTimes* times = nullptr) {
    if (preprocessors_) prepare();
    calls_.executable.run_timed(x_.view(), std::span(&binding_, 1), times);
  }

  void check() {
    if (digest_.empty()) digest_ = sha256_hex(std::as_bytes(result_.as<float>()));
    calls_.check.check(inputs_, result_.as<float>());
  }

  const std::string& digest() const { return digest_; }

 private:
  // Reads the next images and makes the batch of them, on all of the call's threads.
  void prepare() {
    const ImageSource& source = calls_.images->source;
    const std::span<float> x = x_.as<float>();
    const size_t size = x.size() / inputs_.size();
    for (size_t i = 0; i < inputs_.size(); ++i) {
      inputs_[i] = (next_ + static_cast<int64_t>(i)) % std::ssize(source.paths());
    }
    next_ += calls_.batch * calls_.streams;
    arena_.execute([&] {
      tbb::parallel_for(size_t{0}, inputs_.size(), [&](size_t i) {
        const auto image = static_cast<size_t>(inputs_[i]);
        preprocessors_->local().decode(source.read(image).bytes, source.name_of(image),
                                       x.subspan(i * size, size));
      });
    });
  }

  const ModelCalls& calls_;
  Tensor x_;
  Tensor result_;
  backends::OutputBinding binding_;
  std::vector<int64_t> inputs_;
  int64_t next_;  // the first image of the next call, before it is taken round
  tbb::task_arena arena_;
  std::optional<tbb::enumerable_thread_specific<Preprocessor>> preprocessors_;
  std::string digest_;
};

}  // namespace

void OutputCheck::check(std::span<const int64_t> inputs, std::span<const float> results) {
  const std::lock_guard lock(mutex_);
  const size_t size = results.size() / inputs.size();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto input = static_cast<size_t>(inputs[i]);
    const std::span<const float> found = results.subspan(i * size, size);
    if (input >= expected_.size()) expected_.resize(input + 1);
    std::vector<float>& expected = expected_[input];
    if (expected.empty()) expected.assign(found.begin(), found.end());
    if (std::memcmp(found.data(), expected.data(), found.size_bytes()) == 0) continue;
    size_t value = 0;
    while (std::memcmp(&found[value], &expected[value], sizeof(float)) == 0) ++value;
    fail(ErrorCode::kFailed,
         "wrong output while timing: of input {}, value {} is {}, and was {} in the first call; equal inputs "
         "must "
         "give equal bits, so these times are not of the model",
         input, value, found[value], expected[value]);
  }
}

ModelSamples time_model(const ModelCalls& calls, const BenchOptions& options, Clock& clock) {
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < calls.streams; ++i) streams.push_back(std::make_unique<Stream>(calls, i));
  const auto stream = [&](int i) -> Stream& { return *streams[static_cast<size_t>(i)]; };
  const auto call = [&](int i) { stream(i).call(); };
  const auto check = [&](int i) { stream(i).check(); };
  ModelSamples result;
  const SystemCounters before = system_counters();
  if (calls.streams > 1) {
    result.samples = measure_streams(call, calls.streams, options, clock, check);
  } else {
    result.samples = measure([&] { call(0); }, options, clock, [&] { check(0); });
  }
  result.disturbance = disturbance_between(before, system_counters());
  result.output_digest = stream(0).digest();
  return result;
}

ModelSamples time_steps(const ModelCalls& calls, const BenchOptions& options, Clock& clock) {
  Stream stream(calls, 0);
  std::vector<backends::StepTimes> steps;
  const auto run = [&] { stream.call(&steps.emplace_back()); };
  ModelSamples result;
  const SystemCounters before = system_counters();
  result.samples = measure(run, options, clock, [&] { stream.check(); });
  result.disturbance = disturbance_between(before, system_counters());
  steps.erase(steps.begin(), steps.begin() + result.samples.warmup);
  result.steps = std::move(steps);
  result.output_digest = stream.digest();
  return result;
}

}  // namespace swinzoo::eval
