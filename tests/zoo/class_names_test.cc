#include "zoo/class_names.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/process.h"
#include "zoo/catalog.h"

using namespace swinzoo;
using namespace swinzoo::zoo;
using Names = std::vector<std::string>;

namespace {

Names names_in(const std::string& config, int64_t num_classes) {
  return class_names_from_config(parse_json(config, "config").as_object(), num_classes);
}

}  // namespace

TEST_CASE("transformers' labels name the classes by their indices") {
  CHECK(names_in(R"({"id2label": {"1": "b", "0": "a", "2": "c, d"}})", 3) == Names{"a", "b", "c, d"});
  const Names none;
  CHECK(names_in(R"({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}})", 2) == none);
  CHECK(names_in(R"({"id2label": {"0": "LABEL_0", "1": "b"}})", 2) == Names{"LABEL_0", "b"});
  for (const char* labels : {R"({"0": "a"})", R"({"0": "a", "2": "c"})", R"({"0": "a", "x": "b"})",
                             R"({"0": "a", "1": 7})", R"({"0": "a", "-1": "b"})", "{}", "7", "null"}) {
    INFO(labels);
    CHECK(names_in(fmt::format(R"({{"id2label": {}}})", labels), 2) == none);
  }
  CHECK(names_in("{}", 0) == none);
}

TEST_CASE("timm's label names are told by their descriptions where there are some") {
  const Names words = {"n01", "n02"}, told = {"tench", "n02"};
  CHECK(names_in(R"({"label_names": ["n01", "n02"]})", 2) == words);
  CHECK(names_in(R"({"label_names": {"0": "n01", "1": "n02"}})", 2) == words);
  CHECK(names_in(R"({"label_names": ["n01", "n02"], "label_descriptions": {"n01": "tench"}})", 2) == told);
  CHECK(names_in(
            R"({"pretrained_cfg": {"label_names": ["n01", "n02"], "label_descriptions": {"n01": "tench"}}})",
            2) == told);
  CHECK(names_in(R"({"label_names": ["a", "b"], "pretrained_cfg": {"label_names": ["n01", "n02"]}})", 2) ==
        Names{"a", "b"});
  CHECK(names_in(R"({"labels": ["n01", "n02"]})", 2) == words);
  CHECK(names_in(R"({"label_names": ["n01", "n02"]})", 3).empty());
  CHECK(names_in(R"({"label_names": ["n01", 2], "label_descriptions": []})", 2).empty());
}

TEST_CASE("ImageNet-1k names 1000 classes that were trained on it or that nothing else is known of") {
  const Catalog& catalog = Catalog::built_in();
  size_t named = 0;
  for (const ModelSpec& spec : catalog.entries()) {
    const Names names = class_names_of(spec);
    CHECK(names.size() == (spec.num_classes == 1000 ? 1000u : 0u));
    if (names.empty()) continue;
    ++named;
    CHECK(names.front() == "tench, Tinca tinca");
    CHECK(names[281] == "tabby, tabby cat");
    CHECK(names.back() == "toilet tissue, toilet paper, bathroom tissue");
    for (const std::string& name : names) CHECK_FALSE(name.empty());
  }
  CHECK(named > 40);

  ModelSpec spec;
  spec.num_classes = 1000;
  CHECK(class_names_of(spec).size() == 1000);
  spec.class_names = Names(1000, "own");
  CHECK(class_names_of(spec)[5] == "own");
  spec.class_names[5] = "a\x1b[31m\tb\x7f";
  CHECK(class_names_of(spec)[5] == "a [31m b ");
  spec.class_names.clear();
  spec.dataset = "imagenet-1k, pets";
  CHECK(class_names_of(spec).empty());
  spec.dataset = "";
  spec.dimensions.frames = 32;
  CHECK(class_names_of(spec).empty());
  spec.dimensions.frames = 0;
  spec.num_classes = 999;
  CHECK(class_names_of(spec).empty());
}

TEST_CASE("a file of class names has one a line and as many as classes") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "label_map.txt";
  ModelSpec spec;
  spec.id = "made";
  spec.num_classes = 3;
  write_file(path, "abseiling\r\nair drumming\nanswering questions\n\n");
  CHECK(read_class_names(path, spec) == Names{"abseiling", "air drumming", "answering questions"});
  write_file(path, "a\nb\nc");
  CHECK(read_class_names(path, spec) == Names{"a", "b", "c"});
  write_file(path, "a\nb\n");
  CHECK(code_of([&] { read_class_names(path, spec); }) == ErrorCode::kUsage);
  CHECK_THROWS_WITH(read_class_names(path, spec),
                    Catch::Contains("2 names") && Catch::Contains("made has 3 classes"));
  CHECK(code_of([&] { read_class_names(folder.path() / "none.txt", spec); }) == ErrorCode::kNotFound);
}

TEST_CASE("ImageNet-1k's synsets are sorted and found by name") {
  const std::vector<std::string>& synsets = imagenet1k_synsets();
  REQUIRE(synsets.size() == 1000);
  CHECK(synsets[0] == "n01440764");
  CHECK(synsets[999] == "n15075141");
  CHECK(std::is_sorted(synsets.begin(), synsets.end()));
  for (size_t i = 0; i < synsets.size(); ++i) CHECK(imagenet1k_class(synsets[i]) == static_cast<int64_t>(i));
  for (const char* other : {"", "n0144076", "n014407640", "n00000001", "n99999999", "tench"}) {
    CHECK(imagenet1k_class(other) == -1);
  }
}

TEST_CASE("a model has ImageNet-1k's classes by their number and its training") {
  ModelSpec spec;
  spec.num_classes = 1000;
  CHECK(has_imagenet1k_classes(spec));
  spec.dataset = "imagenet-22k, imagenet-1k";
  CHECK(has_imagenet1k_classes(spec));
  spec.dataset = "imagenet-22k";
  CHECK_FALSE(has_imagenet1k_classes(spec));
  spec.dataset = "";
  spec.num_classes = 999;
  CHECK_FALSE(has_imagenet1k_classes(spec));
  spec.num_classes = 1000;
  spec.dimensions.frames = 32;
  CHECK_FALSE(has_imagenet1k_classes(spec));
}
