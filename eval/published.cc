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

std::vector<PublishedFigure> published_figures(const zoo::ModelSpec& spec, const Run& run,
                                               const KnownDataSet* known, bool represents) {
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
    if (!represents) continue;
    figure.top1_difference = difference(run.top1, published.top1);
    figure.top5_difference = difference(run.top5, published.top5);
    figure.top1_within_noise = is_between(run.top1_low, published.top1, run.top1_high);
    figure.top5_within_noise = is_between(run.top5_low, published.top5, run.top5_high);
  }
  return figures;
}

}  // namespace swinzoo::eval
