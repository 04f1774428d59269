// The accuracy of two evaluations of the same data.
#pragma once

#include "eval/bootstrap.h"
#include "eval/comparison.h"
#include "eval/run.h"

namespace swinzoo::eval {

// Appends top-1 and top-5 to result.measures, without verdicts. Where both runs have `samples`, image by
// image, over those that both have: McNemar's test, and the images whose top-1 flipped, in natural order.
// Else by counts, which need a larger difference. A run without accuracy gives no rows.
void compare_accuracy(const Run& base, const Run& next, const Rules& rules, const BootstrapOptions& options,
                      ConfigurationResult& result);

}  // namespace swinzoo::eval
