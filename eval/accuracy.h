// Top-1 and top-5 accuracy of a classifier, as timm's validate.py works it out.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "eval/run.h"

namespace swinzoo::eval {

// The k largest of the logits, best first, all if there are fewer; ties and NaN (first) fall as in
// torch.topk.
std::vector<int64_t> top_k(std::span<const float> logits, int64_t k);

// Sets what a sample is said to show: its five best classes of the valid ones (of all where none are given)
// and their logits.
void set_prediction(EvalSample& sample, std::span<const float> logits,
                    std::span<const int64_t> valid_classes);

// Of the samples that have a class among theirs.
struct ClassCount {
  int64_t count = 0;
  int64_t right1 = 0;
  int64_t right5 = 0;
};

// What is counted of samples, one after another. One with several right classes is right by any of them; one
// whose best logits are not finite is wrong.
struct Accuracy {
  int64_t count = 0;                       // samples that have a class
  int64_t right1 = 0;                      // of these, those with a right class as the best
  int64_t right5 = 0;                      // among the five best
  int64_t unlabelled = 0;                  // samples that have none
  std::map<int64_t, ClassCount> by_class;  // the classes that are some sample's

  void add(const EvalSample& sample);
  double top1() const;  // percent; 0 before the first
  double top5() const;
};

}  // namespace swinzoo::eval
