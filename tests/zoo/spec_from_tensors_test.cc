#include "zoo/spec_from_tensors.h"

#include <catch2/catch.hpp>

#include "formats/error.h"
#include "tests/error_code.h"
#include "zoo/architecture.h"
#include "zoo/name_map.h"

using namespace swinzoo;
using namespace swinzoo::zoo;

namespace {

// A checkpoint of names and shapes only.
class Names : public Checkpoint {
 public:
  std::string_view format() const override { return "made"; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  TensorView read(size_t, Tensor&) const override { return {}; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

// The tensors that a model of that spec has in a layout.
Names names_of(const ModelSpec& spec, const Layout& layout) {
  Names names;
  for (const backends::Weight& weight : build_plan(spec).weights) {
    const WeightPlace place = place_in(layout, weight.name, weight.shape);
    Shape shape = weight.shape;
    shape[0] /= static_cast<int64_t>(place.names.size());
    for (size_t axis = 0; axis < place.axes.size(); ++axis) shape[place.axes[axis]] = weight.shape[axis];
    for (const std::string& name : place.names) names.tensors_.push_back({name, DType::kF32, shape});
  }
  return names;
}

const Catalog& catalog() { return Catalog::built_in(); }

}  // namespace

TEST_CASE("every Swin of the catalog is told from its tensors in every layout") {
  size_t told = 0;
  for (ModelSpec known : catalog().architectures()) {
    if (known.dimensions.family != "swin") continue;
    for (const int64_t classes : {known.num_classes, int64_t{0}}) {
      known.num_classes = classes;
      for (const Layout& layout : layouts_of("swin")) {
        INFO(known.architecture << " in the layout of " << layout.name);
        const auto spec = spec_from_tensors(names_of(known, layout), "a file", catalog());
        REQUIRE(spec);
        CHECK(spec->dimensions == known.dimensions);
        CHECK(spec->num_classes == classes);
        CHECK(spec->preprocessing == known.preprocessing);
        ++told;
      }
    }
  }
  CHECK(told >= 9 * 2 * 4);
}

TEST_CASE("a SavedModel's signature tells the image size of a model that the catalog does not know") {
  ModelSpec spec = *catalog().lookup_architecture("swin_tiny_patch4_window7_224");
  spec.dimensions.embed_dim = 24;
  Names names = names_of(spec, layouts_of("swin").back());
  CHECK(code_of([&] { spec_from_tensors(names, "a file", catalog()); }) == ErrorCode::kUnsupported);
  names.metadata_["signature.input_shape"] = "[-1, 224, 224, 3]";
  CHECK(spec_from_tensors(names, "a file", catalog())->dimensions == spec.dimensions);
  names.metadata_["signature.input_shape"] = "[-1, 225, 225, 3]";
  CHECK(code_of([&] { spec_from_tensors(names, "a file", catalog()); }) == ErrorCode::kCorrupt);
}

TEST_CASE("tensors that are no Swin's tell nothing") {
  Names names =
      names_of(*catalog().lookup_architecture("swin_tiny_patch4_window7_224"), layouts_of("swin").front());
  for (TensorInfo& tensor : names.tensors_) {
    if (tensor.name.ends_with("relative_position_bias_table")) tensor.shape[0] = 170;  // no odd square
  }
  CHECK_FALSE(spec_from_tensors(names, "a file", catalog()));
  CHECK_FALSE(spec_from_tensors(Names(), "a file", catalog()));
}

TEST_CASE("hints settle the image size and the architecture where tensors don't") {
  ModelSpec spec = *catalog().lookup_architecture("swin_tiny_patch4_window7_224");
  spec.dimensions.image_size = 160;  // the last stage's map is 5 x 5, and so is its window
  const Names names = names_of(spec, layouts_of("swin").front());
  const auto told = [&](const SpecHints& hints) {
    return spec_from_tensors(names, "a file", catalog(), hints);
  };
  CHECK(code_of([&] { told({}); }) == ErrorCode::kUnsupported);
  CHECK_THROWS_WITH(told({}), Catch::Contains("--img-size"));
  CHECK(told({"", 160})->dimensions.image_size == 160);
  const auto named = told({"swin_tiny_patch4_window7_224", 160});
  CHECK(named->architecture == "swin_tiny_patch4_window7_224");
  CHECK(named->dimensions.window_size == std::vector<int64_t>{7, 7, 7, 5});
  CHECK(named->num_classes == 1000);
  CHECK_THROWS_WITH(told({"swin_tiny_patch4_window7_224", 0}),
                    Catch::Contains("window_size is [7,7,7,5] instead of [7,7,7,7]"));
  CHECK_THROWS_WITH(told({"swin_base_patch4_window7_224", 160}),
                    Catch::Contains("not of swin_base_patch4_window7_224: embed_dim is 96 instead of 128"));
  CHECK(code_of([&] { told({"swin_base_patch4_window7_224", 160}); }) == ErrorCode::kCorrupt);
  CHECK(code_of([&] { told({"swin_minuscule", 160}); }) == ErrorCode::kNotFound);
  CHECK(code_of([&] { told({"", 161}); }) == ErrorCode::kCorrupt);
}
