// Figures about a series of numbers. All of them REQUIRE at least one value; none may be NaN.
#pragma once

#include <span>

namespace swinzoo::eval {

double mean(std::span<const double> values);

// The sample's standard deviation (divided by n - 1, as hyperfine and numpy.std(ddof=1) do). REQUIRES: two
// values.
double standard_deviation(std::span<const double> values);

// The value below which `percent` (0 to 100) of the values lie, interpolated linearly between the two
// nearest, as numpy.percentile does by default.
double percentile(std::span<const double> values, double percent);

inline double median(std::span<const double> values) { return percentile(values, 50); }

}  // namespace swinzoo::eval
