#include "eval/published.h"

namespace swinzoo::eval {
namespace {

std::optional<double> difference(std::optional<double> ours, std::optional<double> theirs) {
  if (!ours.has_value() || !theirs.has_value()) return std::nullopt;
  return *ours - *theirs;
}

std::optional<bool> is_between(std::optional<double> low, std::optional<double> value,
                               std::optional<double> high) {
  if (!low.has_value() || !value.has_value() || !high.has_value()) return std::nullopt;
  return *low <= *value && *value <= *high;
}

}  // namespace

std::vector<PublishedFigure> published_figures(const zoo::ModelSpec& spec, const KnownDataSet* known) {
  const std::string_view data_set = known == nullptr ? "imagenet" : known->name;
  std::vector<PublishedFigure> figures;
  for (const zoo::PublishedAccuracy& published : spec.published) {
    if (published.dataset != data_set) continue;
    PublishedFigure& figure = figures.emplace_back();
    figure.by = published.by;
    figure.data_set = published.dataset;
    figure.top1 = published.top1;
    figure.top5 = published.top5;
    figure.source = published.source;
  }
  return figures;
}

void compare_with_published(Run& run) {
  if (!run.represents.value_or(false) || !run.shard.empty()) return;
  for (PublishedFigure& figure : run.published) {
    figure.top1_difference = difference(run.top1, figure.top1);
    figure.top5_difference = difference(run.top5, figure.top5);
    figure.top1_within_noise = is_between(run.top1_low, figure.top1, run.top1_high);
    figure.top5_within_noise = is_between(run.top5_low, figure.top5, run.top5_high);
  }
}

}  // namespace swinzoo::eval
