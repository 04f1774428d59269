// Whole models against the real reference implementations: tests/data/golden, made by
// tests/data/make_goldens.py and make_video_goldens.py.
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/checkpoint.h"
#include "tests/backends/made_plan.h"
#include "zoo/catalog.h"
#include "zoo/model.h"

using namespace swinzoo;
namespace fs = std::filesystem;

namespace {

constexpr double kTolerance = 1e-4;  // of the output's largest absolute value

// Each folder's every expected output, on a backend.
void check_golden(const fs::path& folder, const char* backend) {
  const zoo::Model model(zoo::open_model(folder.string(), zoo::Catalog::built_in()),
                         backends::find_backend(backend), {2});
  const auto input = open_checkpoint(folder / "input.safetensors");
  const auto expected = open_checkpoint(folder / "expected.safetensors");
  std::vector<std::string> names;
  for (const TensorInfo& tensor : expected->tensors()) names.push_back(tensor.name);
  REQUIRE(names.size() > 4);

  Tensor scratch;
  const auto found = backends::run_outputs(model.executable(), input->read(0, scratch), names);
  for (size_t i = 0; i < names.size(); ++i) {
    Tensor copy;
    const TensorView want = expected->read(i, copy);
    INFO(folder.filename() << ", " << backend << ", " << names[i]);
    CHECK(found[i].second.shape() == want.shape);
    CHECK(backends::relative_error(want.as<float>(), found[i].second.as<float>()) < kTolerance);
  }
}

}  // namespace

TEST_CASE("golden cases agree with the reference implementations on both backends") {
  size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(SWINZOO_TEST_DATA) / "golden")) {
    ++folders;
    check_golden(entry.path(), "cpu");
    check_golden(entry.path(), "reference");
  }
  CHECK(folders >= 5);
}
