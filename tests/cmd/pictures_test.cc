// The pictures of swinzoo predict, by the real binary. What is drawn where is eval/picture_test.cc's and
// eval/attention_map_test.cc's.
#include <catch2/catch.hpp>
#include <filesystem>

#include "eval/image.h"
#include "formats/atomic_file.h"
#include "tests/cmd/results.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

const fs::path kImage = SWINZOO_TEST_DATA "/imagenet_mini/5_star/0.jpg";

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  std::string attention = folder.path() / "attention.png";
  std::string features = folder.path() / "features.png";
  std::string out = folder.path() / "out.safetensors";

  Fixture() { write_model(model); }

  Result predict(std::vector<std::string> more) const {
    more.insert(more.begin(), {"predict", model, "--threads", "2"});
    return run_swinzoo(more);
  }
};

}  // namespace

TEST_CASE("predict draws where the model looks and what a stage makes of it") {
  const Fixture made;
  const Result plain = made.predict({kImage});
  const Result drawn =
      made.predict({kImage, "--attention-map", made.attention, "--feature-map", made.features});
  CHECK(drawn.err.empty());
  CHECK(drawn.status == 0);
  CHECK(drawn.out == plain.out);
  const eval::Image attention = eval::read_image(made.attention), features = eval::read_image(made.features);
  CHECK(attention.width == 448);  // 14 times 32
  CHECK(attention.height == 448);
  CHECK(features.width > 2 * 448);
  CHECK(features.height == 448);

  // With outputs in a file, what is drawn is read from there, and is the same.
  const std::string again = made.folder.path() / "again.png", other = made.folder.path() / "other.png";
  CHECK(made.predict({kImage, "--outputs", "attention,feature_map.2", "-o", made.out, "--attention-map",
                      again, "--feature-map", other})
            .status == 0);
  CHECK(read_text(again) == read_text(made.attention));
  CHECK(read_text(other) == read_text(made.features));
  CHECK(fs::exists(made.out));

  CHECK(
      made.predict({kImage, "--attention-map", again, "--block", "2", "--feature-map", other, "--stage", "0"})
          .status == 0);
  CHECK(read_text(again) != read_text(made.attention));
  CHECK(read_text(other) != read_text(made.features));
}

TEST_CASE("predict of a model without a head draws and prints nothing") {
  const Fixture made;
  const std::string headless = made.folder.path() / "headless";
  write_model(headless, {.num_classes = 0});
  const Result drawn = run_swinzoo({"predict", headless, kImage, "--attention-map", made.attention});
  CHECK(drawn.status == 0);
  CHECK(drawn.out.empty());
  CHECK(fs::exists(made.attention));
  CHECK(run_swinzoo({"predict", headless, kImage, "--feature-map", made.features, "-o", made.out}).status ==
        0);
  CHECK(fs::exists(made.out));
}

TEST_CASE("predict draws what a family lays out with channels first") {
  const Fixture made;
  const std::string model = SWINZOO_TEST_DATA "/golden/swinv2_cr_mini_ns_224";
  const Result drawn = run_swinzoo({"predict", model, kImage, "--attention-map", made.attention,
                                    "--feature-map", made.features, "--stage", "1"});
  CHECK(drawn.status == 0);
  CHECK(eval::read_image(made.features).height == 448);
}

TEST_CASE("predict refuses pictures of what is not one image of an image model") {
  const Fixture made;
  const auto status_of = [&](const Result& result, const std::string& said) {
    CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: ") && Contains(said));
    CHECK(result.out.empty());
    CHECK_FALSE(fs::exists(made.attention));
    CHECK_FALSE(fs::exists(made.features));
    return result.status;
  };
  const std::string x = made.folder.path() / "x.safetensors";
  write_checkpoint(x, {{"x", {1, 3, 32, 32}, std::vector<float>(3 * 32 * 32)}});
  CHECK(status_of(made.predict({kImage, kImage, "--attention-map", made.attention}), "take one image") == 2);
  CHECK(status_of(made.predict({kImage.parent_path(), "--feature-map", made.features}), "take one image") ==
        2);
  CHECK(status_of(made.predict({x, "--feature-map", made.features}), "take one image") == 2);
  CHECK(status_of(made.predict({kImage, "--attention-map", made.attention, "--block", "5"}),
                  "'attention.5'") == 2);
  CHECK(status_of(made.predict({kImage, "--feature-map", made.features, "--stage", "4"}),
                  "'feature_map.4'") == 2);
  CHECK(status_of(made.predict({kImage, "--block", "1"}), "--attention-map") == 2);
  CHECK(status_of(made.predict({kImage, "--stage", "1"}), "--feature-map") == 2);

  write_checkpoint(x, {{"x", {1, 3, 5, 20, 20}, std::vector<float>(3 * 5 * 20 * 20)}});
  const std::string video = SWINZOO_TEST_DATA "/golden/video_swin_mini_odd";
  CHECK(status_of(run_swinzoo({"predict", video, x, "--attention-map", made.attention}), "takes clips") == 7);
  CHECK(status_of(run_swinzoo({"predict", video, kImage, "--attention-map", made.attention}),
                  "takes clips") == 7);
}
