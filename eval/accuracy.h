// Top-1 and top-5 accuracy of a classifier on labelled images, as timm's validate.py works it out.
//
// evaluate() may be called from several threads at once; each call decodes and resizes on TBB's threads, one
// batch ahead of the classifier, so two batches of inputs are in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "eval/data_set.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// Fills `logits` (count x num_classes) for `batch` (count x 3 x image_size x image_size). count is the batch
// size, less at the end or where images were skipped. Calls don't overlap, but may come from different
// threads.
using Classifier = std::function<void(std::span<const float> batch, int64_t count, std::span<float> logits)>;

struct Prediction {
  std::string path;             // as ImageSource::paths() has it
  std::vector<int64_t> labels;  // as Sample's; without any, the image counts nowhere
  std::vector<int64_t> top;     // the best of the valid classes (5, or all where there are fewer), best first
  std::vector<float> logits;    // theirs
  bool has_nan = false;         // one of the valid classes' logits is no number: wrong, whatever `top` holds
};

// An image that could not be read (the message starts with its name) or resized (it does not).
struct SkippedSample {
  std::string path;
  std::string message;
};

// Of the images that have a class among their labels.
struct ClassCount {
  int64_t count = 0;
  int64_t right1 = 0;
  int64_t right5 = 0;
};

struct AccuracyResult {
  int64_t count = 0;   // images that were read and have a label
  int64_t right1 = 0;  // of these, those with a label as the best class
  int64_t right5 = 0;  // among the five best
  double top1 = 0.0;   // percent
  double top5 = 0.0;
  int64_t unlabelled = 0;                  // images that were read and have none
  std::map<int64_t, ClassCount> by_class;  // the classes that are some image's label
  std::vector<Prediction> predictions;     // in the data's order
  std::vector<SkippedSample> skipped;      // so too
};

struct EvaluateProgress {
  int64_t done = 0;   // images, skipped ones included
  int64_t total = 0;  //
  double top1 = 0.0;  // percent so far
  double top5 = 0.0;
};

struct EvaluateOptions {
  std::function<void(const EvaluateProgress&)> progress;  // after each batch, if set
};

// The k largest of the logits, best first, all if there are fewer; ties and NaN (first) fall as in
// torch.topk.
std::vector<int64_t> top_k(std::span<const float> logits, int64_t k);

// Throws kCorrupt if no image at all could be read, and what the classifier throws. REQUIRES: batch_size and
// num_classes are positive, all classes in `data` are below num_classes.
AccuracyResult evaluate(const LabelledImages& data, const zoo::Preprocessing& preprocessing,
                        int64_t image_size, int64_t num_classes, int64_t batch_size,
                        const Classifier& classifier, const EvaluateOptions& options = {});

}  // namespace swinzoo::eval
