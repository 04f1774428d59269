#include "eval/published.h"

#include <catch2/catch.hpp>

using namespace swinzoo;
using namespace swinzoo::eval;

namespace {

constexpr KnownDataSet kImageNet = {"imagenet", 50'000, {}};
constexpr KnownDataSet kSketch = {"sketch", 50'889, {}};

zoo::ModelSpec made_spec() {
  zoo::ModelSpec spec;
  spec.published = {{"imagenet", "timm", 81.0, 95.5, "results.csv"},
                    {"imagenet", "authors", 85.0, std::nullopt, "paper"},
                    {"sketch", "timm", 41.0, 58.0, "results-sketch.csv"}};
  return spec;
}

// 80.8 % [78.25, 83.12] and 95.6 % [94.14, 96.71], beside what was published.
Run made_run(const KnownDataSet* known, std::optional<bool> represents, const std::string& shard = "") {
  Run run;
  run.published = published_figures(made_spec(), known);
  run.represents = represents;
  run.shard = shard;
  set_accuracy(run, 1000, 808, 956);
  compare_with_published(run);
  return run;
}

}  // namespace

TEST_CASE("figures published on the same data stand beside ours with the difference") {
  const auto figures = made_run(&kImageNet, true).published;
  REQUIRE(figures.size() == 2);
  CHECK(figures[0].by == "timm");
  CHECK(figures[0].data_set == "imagenet");
  CHECK(figures[0].source == "results.csv");
  CHECK(figures[0].top1 == 81.0);
  CHECK(*figures[0].top1_difference == Approx(-0.2));
  CHECK(*figures[0].top5_difference == Approx(0.1));
  CHECK(figures[0].top1_within_noise == true);
  CHECK(figures[0].top5_within_noise == true);
  CHECK(figures[1].top1_within_noise == false);
  CHECK_FALSE(figures[1].top5_difference.has_value());
  CHECK_FALSE(figures[1].top5_within_noise.has_value());

  const auto sketch = made_run(&kSketch, true).published;
  REQUIRE(sketch.size() == 1);
  CHECK(sketch[0].top1_within_noise == false);
}

TEST_CASE("nothing is said of noise where the images are not those that were published on") {
  for (const Run& run :
       {made_run(&kImageNet, false), made_run(nullptr, std::nullopt), made_run(&kImageNet, true, "1/2")}) {
    REQUIRE(run.published.size() == 2);
    for (const PublishedFigure& figure : run.published) {
      CHECK(figure.data_set == "imagenet");
      CHECK(figure.top1.has_value());
      CHECK_FALSE(figure.top1_difference.has_value());
      CHECK_FALSE(figure.top1_within_noise.has_value());
    }
  }
}
