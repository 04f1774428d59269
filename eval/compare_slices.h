// Compares by measuring: short slices of base and of the new sides by turns, in an order by chance, so that
// whatever else the machine does meets all alike.
//
// A round is one slice of each side, in an order drawn anew for each round. What is compared is the ratio
// within a round: it doesn't hold what changes from round to round (drift, modes of the machine), and were
// the sides the same, each would come out larger as often as the other, however the machine's noise hangs
// together. So the test of the ratios' signs is exact; the bootstrap draws rounds. Base's slices of
// rounds that follow each other are compared likewise: this A/A is the noise floor.
//
// Time is spent in looks of a third of `seconds`: after one, what is inconclusive gets a second. What is
// worse then is measured again from the start with what time is left, and is worse only if that says so too.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/bench.h"
#include "eval/bootstrap.h"
#include "eval/comparison.h"
#include "eval/run.h"

namespace swinzoo::eval {

// Measures one slice of one side (0: base): a run for each configuration, in the same order each time. Throws
// what ends the comparison.
using TakeSlice = std::function<std::vector<Run>(size_t side)>;

struct SliceOptions {
  double seconds = 60;              // in all, at most but for the slice that is under way
  BootstrapOptions bootstrap = {};  // its seed is also that of the order
};

// names: of the sides, base's first. Throws kFailed where a slice holds other configurations than base's
// first. REQUIRES: two names.
Comparison compare_slices(const std::vector<std::string>& names, const TakeSlice& take, Clock& clock,
                          const Rules& rules, const SliceOptions& options);

}  // namespace swinzoo::eval
