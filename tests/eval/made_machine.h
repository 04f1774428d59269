// A machine whose noise is made up as that of a shared virtual machine is, for tests of comparisons: its
// clock, and slices of a bench on it. The same seed gives the same machine.
#pragma once

#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include "eval/bench.h"
#include "eval/run.h"

namespace swinzoo::eval {

class MadeMachine : public Clock {
 public:
  // slowdown: a call takes (1 + slowdown) times as long on every side but base. slice_seconds: of a slice
  // where nothing disturbs.
  MadeMachine(uint64_t seed, double slowdown, double slice_seconds = 0.15)
      : random_(seed), slowdown_(slowdown), slice_seconds_(slice_seconds) {
    calm_ = uniform(0.01, 0.025);
    drift_ = uniform(-0.15, 0.15) / 60;  // per second
    second_mode_ = uniform(0, 1) < 0.5 ? uniform(0.08, 0.3) : 0;
    busy_share_ = uniform(0, 0.02);
  }

  std::chrono::nanoseconds now() override { return now_; }

  // A run of a bench whose calls take 2 ms on a calm machine.
  std::vector<Run> take(size_t side) {
    const double disturbance = next_disturbance();
    const double own = (side == 0 ? 1 : 1 + slowdown_) * disturbance;
    Run run;
    run.kind = "bench";
    run.model = "made";
    run.median_ms = 2 * own * std::exp(calm_ * normal_(random_));
    run.images_per_second = 1000 / (*run.median_ms * (1 + std::abs(0.02 * normal_(random_))));
    run.peak_memory_mb = 27.4 * (1 + 0.006 * normal_(random_));
    run.load_ms =
        2.8 * disturbance * std::exp(0.05 * normal_(random_) + (uniform(0, 1) < 0.1 ? uniform(0, 2) : 0));
    now_ += std::chrono::nanoseconds(static_cast<int64_t>(1e9 * slice_seconds_ * disturbance));
    return {run};
  }

  // What the machine's own state multiplies the times with; it moves on by a slice.
  double next_disturbance() {
    wander_ = 0.98 * wander_ + 0.005 * normal_(random_);  // hangs together over about 50 slices
    if (uniform(0, 1) < 0.04) is_second_mode_ = !is_second_mode_;
    if (busy_slices_ > 0) --busy_slices_;
    if (busy_slices_ == 0 && uniform(0, 1) < busy_share_) {  // somebody builds something
      busy_slices_ = static_cast<int>(uniform(2, 30));
      busy_ = uniform(0.05, 0.5);
    }
    double log = wander_ + drift_ * std::chrono::duration<double>(now_).count();
    if (is_second_mode_) log += std::log1p(second_mode_);
    if (busy_slices_ > 0) log += busy_ * uniform(0.3, 1);
    if (uniform(0, 1) < 0.05) log += std::exponential_distribution<>(4)(random_);  // a spike
    return std::exp(log);
  }

 private:
  double uniform(double low, double high) { return std::uniform_real_distribution<>(low, high)(random_); }

  std::mt19937_64 random_;
  std::normal_distribution<> normal_;
  const double slowdown_;
  const double slice_seconds_;
  double calm_ = 0, drift_ = 0, second_mode_ = 0, busy_share_ = 0;  // what kind of machine it is
  double wander_ = 0, busy_ = 0;
  bool is_second_mode_ = false;
  int busy_slices_ = 0;
  std::chrono::nanoseconds now_{};
};

}  // namespace swinzoo::eval
