// 95% intervals by the bootstrap (percentile method): the figure is worked out anew from values drawn with
// replacement, and the middle 95% of what comes out is the interval. The same seed gives the same interval.
// Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <span>

#include "eval/statistics.h"

namespace swinzoo::eval {

struct BootstrapOptions {
  uint64_t seed = 1;
  int resamples = 2000;
};

// Of median(y) / median(x), x and y independent. Values that depend on their neighbours (the times of calls)
// give too narrow an interval: hand in the medians of slices of time, or of whole runs, instead. REQUIRES:
// neither is empty; values over 0.
Interval bootstrap_ratio(std::span<const double> x, std::span<const double> y,
                         const BootstrapOptions& options);

// Of the median of values, such as the differences of pairs. REQUIRES: not empty.
Interval bootstrap_median(std::span<const double> values, const BootstrapOptions& options);

// How far from 0 the median of `count` values stays in 95% of draws, where each is one of `values` with a
// sign by chance. REQUIRES: values isn't empty; count over 0.
double median_reach(std::span<const double> values, size_t count, const BootstrapOptions& options);

// Of the share that the second classifier has right less the first's, over the same `count` items, of which
// `lost` were right only in the first and `gained` only in the second; drawn by item. From -1 to 1. REQUIRES:
// lost + gained <= count, count over 0.
Interval bootstrap_paired_shares(int64_t lost, int64_t gained, int64_t count,
                                 const BootstrapOptions& options);

// The same where the items are independent: right2 of count2 less right1 of count1.
Interval bootstrap_shares(int64_t right1, int64_t count1, int64_t right2, int64_t count2,
                          const BootstrapOptions& options);

}  // namespace swinzoo::eval
