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
// model and compared_setup() of run_setup.h. Where only
// one is left on either side that differ by nothing but the model's name, these two are compared. One that
// only base has is inconclusive, one that only a new side has is left out. Throws kFailed where nothing at
// all can be compared.
Comparison compare_runs(const ComparedSide& base, std::span<const ComparedSide> next, const Rules& rules,
                        const BootstrapOptions& options);

// "swin_mini, 224 px, batch 1, 2 threads, fp32, cpu": what tells the configurations of a side apart.
std::string configuration_of(const Run& run);

// The row of a measure, with its threshold and nothing else.
MeasureResult empty_row(Measure measure, const Rules& rules);

// A run's figure, as it is in the result: median_ms, images_per_second, peak_memory_mb, load_ms, top1, top5;
// nothing where it has none.
std::optional<double> figure_of(const Run& run, Measure measure);

// Whether both put out the same bits: worse by 0 or 100; nothing where one doesn't say.
std::optional<MeasureResult> digest_row(const Run& base, const Run& next, const Rules& rules);

}  // namespace swinzoo::eval
