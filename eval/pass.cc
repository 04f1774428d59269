#include "eval/pass.h"

#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

// Samples [begin, end) as inputs. Memory is allocated once and used again.
struct Batch {
  size_t begin = 0;
  size_t end = 0;
  std::vector<std::vector<float>> inputs;  // a form: of the samples that could be read, side by side
  std::vector<std::string> messages;       // a sample; empty: it could be read
  std::mutex mutex;
  std::exception_ptr error;  // what no other sample would be spared: a disk that fails, memory

  void set_error(std::exception_ptr thrown) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(thrown);
  }
};

class Pass {
 public:
  Pass(const SampleReader& reader, size_t count, std::span<const PassModel> models,
       const PassOptions& options)
      : reader_(reader),
        count_(count),
        models_(models),
        options_(options),
        views_(reader.views()),
        samples_a_batch_(std::max<size_t>(1, static_cast<size_t>(options.batch_size) / views_)),
        inputs_a_call_(options.batch_size),
        errors_(models.size()) {
    assert(options.batch_size > 0 && views_ > 0);
  }

  std::vector<std::exception_ptr> run() {
    size_t begin = count_;
    for (const PassModel& model : models_) begin = std::min(begin, model.first);
    auto current = std::make_unique<Batch>();
    auto next = std::make_unique<Batch>();
    load(begin, *current);
    while (current->begin < current->end && is_wanted()) {
      if (current->error) std::rethrow_exception(current->error);
      tbb::parallel_invoke([&] { load(current->end, *next); }, [&] { run_models(*current); });
      if (options_.progress) options_.progress(current->end);
      std::swap(current, next);
    }
    return std::move(errors_);
  }

 private:
  bool is_wanted() const { return std::ranges::count(errors_, nullptr) > 0; }

  // Room for the inputs of so many samples in each form that a model takes.
  void allocate(Batch& batch, size_t samples) const {
    batch.inputs.resize(reader_.input_sizes().size());
    for (const PassModel& model : models_) {
      std::vector<float>& inputs = batch.inputs[model.form];
      inputs.resize(std::max(inputs.size(), samples * sample_size(model.form)));
    }
  }

  void load(size_t begin, Batch& batch) {
    size_t samples = std::min(count_ - begin, samples_a_batch_.load());
    while (true) {
      try {
        allocate(batch, samples);
        break;
      } catch (const std::bad_alloc&) {
        batch.inputs.clear();
        if (samples == 1) {
          batch.set_error(std::current_exception());
          batch.begin = begin;
          batch.end = begin + 1;
          return;
        }
        samples /= 2;
        samples_a_batch_ = samples;
      }
    }
    batch.error = nullptr;
    batch.begin = begin;
    batch.end = begin + samples;
    batch.messages.assign(samples, "");
    tbb::parallel_for(size_t{0}, samples, [&](size_t i) {
      std::vector<std::span<float>> inputs;
      for (size_t form = 0; form < batch.inputs.size(); ++form) {
        inputs.push_back(batch.inputs[form].empty() ? std::span<float>() : input(batch, form, i));
      }
      try {
        reader_.read(begin + i, inputs);
      } catch (const Error& error) {
        const bool is_samples_fault = error.code() == ErrorCode::kCorrupt ||
                                      error.code() == ErrorCode::kNotFound ||
                                      error.code() == ErrorCode::kUnsupported;
        if (is_samples_fault) {
          batch.messages[i] = error.what();
        } else {
          batch.set_error(std::current_exception());
        }
      } catch (...) {  // none may end the other half of a parallel_invoke in its middle
        batch.set_error(std::current_exception());
      }
    });
    close_gaps(batch);
  }

  // Moves the inputs of samples that could be read together.
  void close_gaps(Batch& batch) const {
    size_t place = 0;
    for (size_t i = 0; i < batch.messages.size(); ++i) {
      if (!batch.messages[i].empty()) continue;
      for (size_t form = 0; form < batch.inputs.size() && place != i; ++form) {
        if (!batch.inputs[form].empty())
          std::ranges::copy(input(batch, form, i), input(batch, form, place).begin());
      }
      ++place;
    }
  }

  void run_models(Batch& batch) {
    for (size_t m = 0; m < models_.size(); ++m) {
      if (errors_[m] != nullptr || models_[m].first >= batch.end) continue;
      try {
        run_model(models_[m], batch);
      } catch (...) {
        errors_[m] = std::current_exception();
      }
    }
  }

  void run_model(const PassModel& model, Batch& batch) {
    const size_t skipped_before = std::max(model.first, batch.begin) - batch.begin;
    const auto was_read = [](const std::string& message) { return message.empty(); };
    const auto wanted = std::span(batch.messages).subspan(skipped_before);
    const auto done =
        static_cast<size_t>(std::ranges::count_if(std::span(batch.messages).first(skipped_before), was_read));
    const auto samples = static_cast<size_t>(std::ranges::count_if(wanted, was_read));
    const std::span<const float> inputs =
        std::span<const float>(batch.inputs[model.form])
            .subspan(done * sample_size(model.form), samples * sample_size(model.form));
    rows_.resize(samples * views_ * model.width);
    run_inputs(model, inputs, samples * views_);

    size_t place = 0;
    for (const std::string& message : wanted) {
      if (message.empty()) {
        const size_t size = views_ * model.width;
        model.take(std::span<const float>(rows_).subspan(place * size, size));
        ++place;
      } else {
        model.skip(message);
      }
    }
    model.after_batch();
  }

  // Into rows_, in calls of no more inputs than there is memory for.
  void run_inputs(const PassModel& model, std::span<const float> inputs, size_t count) {
    const size_t input_size = reader_.input_sizes()[model.form];
    for (size_t begin = 0; begin < count;) {
      const size_t some = std::min(count - begin, static_cast<size_t>(inputs_a_call_));
      try {
        model.run(inputs.subspan(begin * input_size, some * input_size), static_cast<int64_t>(some),
                  std::span(rows_).subspan(begin * model.width, some * model.width));
        begin += some;
      } catch (const std::bad_alloc&) {
        if (some == 1) throw;
        inputs_a_call_ = static_cast<int64_t>(some / 2);
      }
    }
  }

  size_t sample_size(size_t form) const { return views_ * reader_.input_sizes()[form]; }
  std::span<float> input(Batch& batch, size_t form, size_t sample) const {
    return std::span(batch.inputs[form]).subspan(sample * sample_size(form), sample_size(form));
  }

  const SampleReader& reader_;
  const size_t count_;
  const std::span<const PassModel> models_;
  const PassOptions& options_;
  const size_t views_;
  std::atomic<size_t> samples_a_batch_;
  int64_t inputs_a_call_;
  std::vector<float> rows_;
  std::vector<std::exception_ptr> errors_;
};

}  // namespace

std::vector<std::exception_ptr> run_pass(const SampleReader& reader, size_t count,
                                         std::span<const PassModel> models, const PassOptions& options) {
  return Pass(reader, count, models, options).run();
}

}  // namespace swinzoo::eval
