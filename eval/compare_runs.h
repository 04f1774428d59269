// Compares results that were measured apart from each other: of files, of folders, of the history.
//
// Runs of the same configuration on one side are repeats. What two results, measured at different times, can
// tell of speed depends on how far the machine lies from itself meanwhile. That is taken from base's own
// repeats (3 at least); where there are none, from Rules::noise, so that only a large difference is called
// worse. compare_slices.h measures both at the same time instead.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/comparison.h"
#include "eval/run.h"

namespace swinzoo::eval {

struct ComparedSide {
  std::string name;  // for people: a file, a folder, a command
  std::vector<Run> runs;
};

// Compares each of `next` with base, configuration by configuration, and judges. Configurations are the
// model, its weights and compared_setup() of run_setup.h. What is the same on both sides stands against each
// other; then what is the only one left over, on either side, of its model and setup; then of its setup. One
// that only base has is inconclusive, with what failed on the new side where that is known; one that only a
// new side has is shown with a note, and not judged. Throws kFailed where base has no result that did not
// fail.
Comparison compare_runs(const ComparedSide& base, std::span<const ComparedSide> next, const Rules& rules,
                        const BootstrapOptions& options);

// "swin_mini, 224 px, batch 1, 2 threads, fp32, cpu": what tells the configurations of a side apart.
std::string configuration_of(const Run& run);

// The row of a measure, with its threshold and nothing else.
MeasureResult empty_row(Measure measure, const Rules& rules);

// A run's figure, as it is in the result: median_ms, images_per_second, peak_memory_mb, load_ms, top1, top5;
// nothing where it has none.
std::optional<double> figure_of(const Run& run, Measure measure);

// Whether both put out the same bits: worse by 0 or 100. Where one doesn't say: inconclusive if there is a
// rule of it, else nothing.
std::optional<MeasureResult> digest_row(const Run& base, const Run& next, const Rules& rules);

}  // namespace swinzoo::eval
