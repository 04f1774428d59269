// Tests of whether two things differ by more than chance. Each equals a function of SciPy 1.17, which is
// named beside it; all p-values are two-sided. Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace swinzoo::eval {

struct TestResult {
  double statistic = 0;
  double p = 1;
};

// Mann-Whitney U: do values of one of two independent samples tend to be larger? The statistic is U of x (of
// the pairs, those where x is larger, ties counting half). As scipy.stats.mannwhitneyu: by method="exact"
// where the smaller sample has at most 8 values, there are no ties, and at most 10,000 pairs; else by
// method="asymptotic", with corrections for ties and for continuity. REQUIRES: neither is empty, no NaN.
TestResult mann_whitney_u(std::span<const double> x, std::span<const double> y);

// Cliff's delta: the share of pairs in which y is larger, less the share in which x is: -1 to 1. (delta + 1)
// / 2 is the probability of superiority. REQUIRES: neither is empty, no NaN.
double cliffs_delta(std::span<const double> x, std::span<const double> y);

// McNemar's exact test: of items that two classifiers got differently right, `lost` are those that only the
// first had right, `gained` those that only the second had. It is the sign test too, of pairs that differ one
// way or the other. p of scipy.stats.binomtest(lost, lost + gained);
// 1 where there are none. REQUIRES: neither is negative.
double mcnemar(int64_t lost, int64_t gained);

// Two independent shares: right1 of count1 and right2 of count2. The pooled z-test, as
// statsmodels' proportions_ztest; 1 where all are right or all are wrong. REQUIRES: counts over 0.
double two_proportions(int64_t right1, int64_t count1, int64_t right2, int64_t count2);

// Benjamini and Hochberg: p-values adjusted so that those at or below a level hold at most that share of
// false discoveries, in the order given. As scipy.stats.false_discovery_control(method="bh").
std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace swinzoo::eval
