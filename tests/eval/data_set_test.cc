#include "eval/data_set.h"

#include <catch2/catch.hpp>
#include <set>
#include <sstream>
#include <tuple>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "tests/process.h"
#include "tests/raw_tar.h"
#include "zoo/class_names.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Matchers::Contains;

namespace fs = std::filesystem;

namespace {

using Strings = std::vector<std::string>;

std::string val(int number, const char* ending = ".JPEG") {
  return fmt::format("ILSVRC2012_val_{:08}{}", number, ending);
}

zoo::ModelSpec model_of(int64_t classes, const std::string& dataset = "") {
  zoo::ModelSpec spec;
  spec.id = "made/model";
  spec.num_classes = classes;
  spec.dataset = dataset;
  return spec;
}

struct Data {
  TemporaryFolder folder;
  DataOptions options;

  Data() { options.data = folder.path() / "data"; }
  explicit Data(const Strings& images) : Data() { add(images); }

  void add(const Strings& images) const {
    for (const std::string& image : images) write_file(options.data / image, "x");
  }
  fs::path file(const std::string& name, const std::string& text) const {
    write_file(folder.path() / name, text);
    return folder.path() / name;
  }
  LabelledImages labelled(const zoo::ModelSpec& spec) const { return DataSet(options).labelled_for(spec); }

  // "path label label" of each sample, in order.
  Strings lines(const zoo::ModelSpec& spec) const {
    const LabelledImages data = labelled(spec);
    Strings lines;
    for (const Sample& sample : data.samples) {
      std::string& line = lines.emplace_back(data.source->paths()[sample.image]);
      for (const int64_t label : sample.labels) line += fmt::format(" {}", label);
    }
    return lines;
  }

  // Why the data is refused for a model.
  std::string refusal(ErrorCode code, const zoo::ModelSpec& spec = model_of(1000)) const {
    try {
      labelled(spec);
    } catch (const Error& error) {
      CHECK(error.code() == code);
      return error.what();
    }
    return "taken";
  }
};

}  // namespace

TEST_CASE("folders are classes in natural order, as timm numbers them") {
  const Data data({"class10/b.jpg", "class2/a.jpg", "Alpha/x.png", "deep/er/class2/c.jpg"});
  CHECK(data.lines(model_of(12)) ==
        Strings{"Alpha/x.png 0", "class2/a.jpg 1", "class10/b.jpg 2", "deep/er/class2/c.jpg 1"});
  const LabelledImages labelled = data.labelled(model_of(12));
  CHECK(labelled.labelled_by == "folders, in natural order");
  CHECK(labelled.class_names == std::map<int64_t, std::string>{{0, "Alpha"}, {1, "class2"}, {2, "class10"}});
  CHECK(labelled.valid_classes.empty());
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt, model_of(2)),
             Contains("has label 2, but made/model has 2 classes"));
  CHECK(DataSet(data.options).known() == nullptr);
}

TEST_CASE("folders named as synsets are ImageNet's classes where the model has these") {
  const Data data({"n01440764/a.jpg", "n01484850/a.jpg", "n15075141/a.jpg"});
  const Strings by_synset = {"n01440764/a.jpg 0", "n01484850/a.jpg 2", "n15075141/a.jpg 999"};
  const Strings in_order = {"n01440764/a.jpg 0", "n01484850/a.jpg 1", "n15075141/a.jpg 2"};
  CHECK(data.lines(model_of(1000)) == by_synset);
  CHECK(data.lines(model_of(1000, "imagenet-22k, imagenet-1k")) == by_synset);
  CHECK(data.lines(model_of(3)) == in_order);
  CHECK(data.lines(model_of(1000, "places365")) == in_order);
  data.add({"n99999999/a.jpg"});
  CHECK(data.lines(model_of(1000))[1] == "n01484850/a.jpg 1");
}

TEST_CASE("folders named by numbers are ImageNet-V2's classes where the model has ImageNet's") {
  Data data({"10/a.jpeg", "9/a.jpeg", "999/a.jpeg"});
  CHECK(data.lines(model_of(1000)) == Strings{"9/a.jpeg 9", "10/a.jpeg 10", "999/a.jpeg 999"});
  CHECK(data.lines(model_of(3)) == Strings{"9/a.jpeg 0", "10/a.jpeg 1", "999/a.jpeg 2"});
  data.add({"1000/a.jpeg"});
  CHECK(data.lines(model_of(1000))[3] == "1000/a.jpeg 3");
}

TEST_CASE("ImageNet-V2 is known by its folder's name, -Sketch by its files'") {
  Data data;
  Strings v2, sketch;
  for (int i = 0; i < 1000; ++i) {
    v2.push_back(fmt::format("{}/x.jpeg", i));
    sketch.push_back(fmt::format("{}/sketch_{}.JPEG", zoo::imagenet1k_synsets()[static_cast<size_t>(i)], i));
  }
  data.options.data = data.folder.path() / "imagenetv2-matched-frequency-format-val";
  data.add(v2);
  CHECK(DataSet(data.options).known()->name == "imagenetv2-matched-frequency");
  CHECK(data.labelled(model_of(1000)).samples[999].labels[0] == 999);
  const Data other(v2);
  CHECK(DataSet(other.options).known() == nullptr);
  const Data sketches(sketch);
  CHECK(DataSet(sketches.options).known()->name == "sketch");
}

TEST_CASE("ImageNet-A and -R are known by their 200 synsets, and answers are taken from these") {
  for (const auto& [file, name, size] : {std::tuple("imagenet_a_synsets.txt", "imagenet-a", 7'500),
                                         std::tuple("imagenet_r_synsets.txt", "imagenet-r", 30'000)}) {
    INFO(name);
    const Data data;
    std::vector<int64_t> classes;
    std::istringstream synsets(read_text(fs::path(SWINZOO_TEST_DATA) / "labels" / file));
    for (std::string synset; std::getline(synsets, synset);) {
      if (synset.starts_with('#')) continue;
      data.add({synset + "/x.jpg"});
      classes.push_back(zoo::imagenet1k_class(synset));
    }
    REQUIRE(classes.size() == 200);
    const DataSet set(data.options);
    REQUIRE(set.known() != nullptr);
    CHECK(set.known()->name == name);
    CHECK(set.known()->size == size);
    const LabelledImages labelled = set.labelled_for(model_of(1000));
    CHECK(labelled.valid_classes == classes);
    for (size_t i = 0; i < 200; ++i) CHECK(labelled.samples[i].labels == std::vector<int64_t>{classes[i]});
    // Another model's 200 classes, and a part of the set, are as any folder's.
    CHECK(set.labelled_for(model_of(200)).valid_classes.empty());
    fs::remove_all(data.options.data / zoo::imagenet1k_synsets()[static_cast<size_t>(classes[0])]);
    CHECK(DataSet(data.options).known() == nullptr);
    CHECK(data.labelled(model_of(1000)).valid_classes.empty());
  }
}

TEST_CASE("a flat folder without labels is refused, and the message says what would give them") {
  for (const Strings& images :
       {Strings{val(1), val(2)}, Strings{"val/" + val(1), "val/" + val(2)}, Strings{"x.jpg"}}) {
    const Data data(images);
    CHECK_THAT(data.refusal(ErrorCode::kCorrupt),
               Contains("no class's folder") && Contains("--labels FILE") && Contains("--meta") &&
                   Contains("LOC_val_solution.csv") && Contains("ILSVRC2012_validation_ground_truth.txt"));
  }
  const Data loose({"n01/a.jpg", "loose.jpg"});
  CHECK_THAT(loose.refusal(ErrorCode::kCorrupt), Contains("loose.jpg") && Contains("CLASS/loose.jpg"));
  // One class is data too.
  CHECK(Data({"n01440764/" + val(1)}).lines(model_of(1000)) == Strings{"n01440764/" + val(1) + " 0"});
}

TEST_CASE("the devkit's numbers go through its own order of synsets") {
  Data data({val(1), val(3), val(2)});
  data.options.labels = data.file("ILSVRC2012_validation_ground_truth.txt", "1\n1000\n2\n");
  CHECK_THAT(data.refusal(ErrorCode::kUsage), Contains("--meta"));
  data.options.meta = SWINZOO_TEST_DATA "/labels/meta.mat";  // 1 is n15075141, 1000 is n01440764
  CHECK(data.lines(model_of(1000)) == Strings{val(1) + " 999", val(2) + " 0", val(3) + " 998"});
  const LabelledImages labelled = data.labelled(model_of(1000));
  CHECK(labelled.class_names.at(999) == "n15075141");
  CHECK(labelled.labelled_by == "ILSVRC2012_validation_ground_truth.txt, as synsets of ImageNet-1k");
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt, model_of(10)),
             Contains("10 classes") && Contains("--class-map"));
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt, model_of(21841, "imagenet-22k")), Contains("--class-map"));

  data.add({val(4)});
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt), Contains("3 lines, none for " + val(4)));
  data.options.labels.clear();
  CHECK_THAT(data.refusal(ErrorCode::kUsage), Contains("--labels"));
}

TEST_CASE("a synset a line labels images by their numbers, else in natural order") {
  Data data({val(4), val(2)});
  data.options.labels = data.file("synsets.txt", "n01440764\nn01443537\nn01484850\nn01491361\n");
  CHECK(data.lines(model_of(1000)) == Strings{val(2) + " 1", val(4) + " 3"});
  Data named({"b10.jpg", "b9.jpg"});
  named.options.labels = named.file("synsets.txt", "n01440764\nn01443537\n");
  CHECK(named.lines(model_of(1000)) == Strings{"b9.jpg 0", "b10.jpg 1"});
  named.add({"c.jpg"});
  CHECK_THAT(named.refusal(ErrorCode::kCorrupt), Contains("2 lines for 3 images"));
  named.options.meta = SWINZOO_TEST_DATA "/labels/meta.mat";
  CHECK_THAT(named.refusal(ErrorCode::kUsage), Contains("leave out --meta"));
}

TEST_CASE("Kaggle's solution labels images by their names") {
  Data data({"val/" + val(2), "val/" + val(1)});
  data.options.labels = data.file("LOC_val_solution.csv",
                                  "ImageId,PredictionString\nILSVRC2012_val_00000002,n01443537 1 2 3 4 \n"
                                  "ILSVRC2012_val_00000009,n01440764 1 2 3 4 \n"
                                  "ILSVRC2012_val_00000001,n15075141 1 2 3 4 n15075141 5 6 7 8 \n");
  CHECK(data.lines(model_of(1000)) == Strings{"val/" + val(1) + " 999", "val/" + val(2) + " 1"});
  data.add({val(7)});
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt), Contains("no line for " + val(7)));
}

TEST_CASE("a CSV of path,label is data by itself, or labels a folder's images") {
  Data data({"b/2.jpg", "a/1.jpg", "c.jpg"});
  const fs::path csv = data.options.data / "list.csv";
  write_file(csv, "path,label\nb/2.jpg,7\na/1.jpg,0\n");
  const Strings expected = {"b/2.jpg 7", "a/1.jpg 0"};
  data.options.labels = csv;
  CHECK(data.lines(model_of(8)) == expected);
  write_file(csv, "image,class\nb/2.jpg,7\na/1.jpg,0\n");
  CHECK(data.lines(model_of(8)) == expected);
  data.options.meta = csv;
  CHECK_THAT(data.refusal(ErrorCode::kUsage), Contains("leave out --meta"));
  data.options.meta.clear();
  data.options.labels.clear();
  data.options.data = csv;
  CHECK(data.lines(model_of(8)) == expected);
  CHECK(data.labelled(model_of(8)).labelled_by == "list.csv, the model's own classes");
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt, model_of(7)), Contains("label 7"));

  write_file(csv, "b/2.jpg,dog\na/1.jpg,cat\n");
  CHECK(data.lines(model_of(8)) == Strings{"b/2.jpg 1", "a/1.jpg 0"});
  write_file(csv, "b/2.jpg,n01484850\na/1.jpg,n01440764\n");
  CHECK(data.lines(model_of(1000)) == Strings{"b/2.jpg 2", "a/1.jpg 0"});

  data.options.real_labels = data.file("real.json", "[[1]]");
  CHECK_THAT(data.refusal(ErrorCode::kUsage), Contains("all the labels there are"));
  data.options.real_labels.clear();
  data.options.labels = csv;
  CHECK_THAT(data.refusal(ErrorCode::kUsage), Contains("all the labels there are"));
  data.options.labels.clear();
  write_file(csv, "ImageId,PredictionString\na,n01440764 1 2 3 4\n");
  CHECK_THAT(data.refusal(ErrorCode::kUsage), Contains("path,label"));
}

TEST_CASE("a tar is labelled as the folder that it is of") {
  Data data;
  data.options.data = data.file("val.tar", made_tar({{val(2), "x"}, {val(1), "y"}}));
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt), Contains("--labels"));
  data.options.labels = data.file("synsets.txt", "n01440764\nn01443537\n");
  CHECK(data.lines(model_of(1000)) == Strings{val(1) + " 0", val(2) + " 1"});
  data.options.data = data.file("v2.tar", made_tar({{"v2/10/x.jpeg", "x"}, {"v2/9/y.jpeg", "y"}}));
  data.options.labels.clear();
  CHECK(data.lines(model_of(1000)) == Strings{"v2/9/y.jpeg 9", "v2/10/x.jpeg 10"});
}

TEST_CASE("ReaL's labels go by the images' numbers and need no others") {
  for (const Strings& images :
       {Strings{val(1), val(2), val(3)}, Strings{"n01/" + val(1), "n02/" + val(2), "n02/" + val(3)}}) {
    Data data(images);
    data.options.real_labels = data.file("real.json", "[[970, 795], [], [4], [5]]");
    CHECK(data.lines(model_of(1000)) == Strings{images[0] + " 970 795", images[1], images[2] + " 4"});
    CHECK(DataSet(data.options).known()->name == "imagenet-real");
    CHECK_THAT(data.refusal(ErrorCode::kCorrupt, model_of(900)), Contains("label 970"));
    data.options.class_map = data.file("map.txt", "n01\n");
    CHECK_THAT(data.refusal(ErrorCode::kUsage), Contains("--real-labels"));
  }
  Data data({val(5)});
  data.options.real_labels = data.file("real.json", "[[1]]");
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt), Contains("none for " + val(5)));
  data.add({"x.jpg"});
  data.options.real_labels = data.file("real.json", "[[1], [1], [1], [1], [1]]");
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt), Contains("none for x.jpg"));
}

TEST_CASE("with valid labels folders count among these, as in timm") {
  Data data({"ant/a.jpg", "bee/a.jpg", "cat/a.jpg"});
  data.options.valid_labels = data.file("valid.txt", "9\n2\n5\n");
  CHECK(data.lines(model_of(10)) == Strings{"ant/a.jpg 9", "bee/a.jpg 2", "cat/a.jpg 5"});
  CHECK(data.labelled(model_of(10)).valid_classes == std::vector<int64_t>{9, 2, 5});
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt, model_of(9)), Contains("have class 9"));
  data.add({"dog/a.jpg"});
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt, model_of(10)),
             Contains("label 3, but there are 3 valid labels"));
}

TEST_CASE("synsets must be among the valid labels") {
  Data data({"n01440764/a.jpg", "n01484850/a.jpg"});
  data.options.valid_labels = data.file("valid.txt", "0\n2\n3\n");
  CHECK(data.lines(model_of(1000)) == Strings{"n01440764/a.jpg 0", "n01484850/a.jpg 2"});
  data.options.valid_labels = data.file("valid.txt", "0\n1\n3\n");
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt),
             Contains("n01484850/a.jpg") && Contains("none of the 3 valid labels"));
}

TEST_CASE("a class map numbers names and leaves out the others, as in timm") {
  Data data({"ant/a.jpg", "bee/a.jpg", "cat/a.jpg"});
  data.options.class_map = data.file("map.txt", "cat\nzebra\nant\n");
  CHECK(data.lines(model_of(3)) == Strings{"ant/a.jpg 2", "cat/a.jpg 0"});
  CHECK(DataSet(data.options).left_out() == 1);
  CHECK(DataSet(data.options).size() == 2);
  CHECK(data.labelled(model_of(3)).labelled_by == "folders, through the class map");
  data.options.valid_labels = data.file("valid.txt", "1\n4\n6\n");
  CHECK(data.lines(model_of(7)) == Strings{"ant/a.jpg 6", "cat/a.jpg 1"});
  data.options.valid_labels.clear();
  data.options.class_map = data.file("map.txt", "dog\n");
  CHECK_THAT(data.refusal(ErrorCode::kCorrupt), Contains("none of the 3 images"));
}

TEST_CASE("a class map takes synsets to another model's classes") {
  Data data({val(1), val(2)});
  data.options.labels = data.file("synsets.txt", "n01443537\nn01440764\n");
  data.options.class_map = data.file("map.txt", "n00000001\nn01440764\nn00000002\nn01443537\n");
  CHECK(data.lines(model_of(21841, "imagenet-22k")) == Strings{val(1) + " 3", val(2) + " 1"});
}

TEST_CASE("the order is drawn by the seed alone, and the limit takes its first") {
  Strings images;
  for (int i = 0; i < 50; ++i) images.push_back(fmt::format("n{:02}/x.jpg", i));
  Data data(images);
  const auto lines = [&](std::optional<uint64_t> seed, std::optional<int64_t> limit) {
    data.options.shuffle_seed = seed;
    data.options.limit = limit;
    return data.lines(model_of(50));
  };
  const Strings all = lines({}, {});
  CHECK(lines({}, 3) == Strings(all.begin(), all.begin() + 3));
  CHECK(lines({}, 1000) == all);
  const Strings drawn = lines(42, {});
  CHECK(drawn != all);
  CHECK(std::multiset<std::string>(drawn.begin(), drawn.end()) ==
        std::multiset<std::string>(all.begin(), all.end()));
  CHECK(lines(42, {}) == drawn);
  CHECK(lines(43, {}) != drawn);
  CHECK(lines(42, 7) == Strings(drawn.begin(), drawn.begin() + 7));
  // So that a seed means the same in every build: C++'s mt19937_64 of 42, Fisher and Yates from the end.
  CHECK(Strings(drawn.begin(), drawn.begin() + 3) == Strings{"n15/x.jpg 15", "n49/x.jpg 49", "n22/x.jpg 22"});
}

TEST_CASE("what represents a known set is all that there is of it, or drawn from it") {
  Data data({val(1), val(2), val(3)});
  data.options.labels = data.file("synsets.txt", "n01440764\nn01443537\nn01484850\n");
  CHECK(DataSet(data.options).known()->name == "imagenet");
  CHECK(DataSet(data.options).known()->size == 50'000);
  CHECK(DataSet(data.options).represents_known());
  data.options.limit = 2;
  CHECK_FALSE(DataSet(data.options).represents_known());
  data.options.shuffle_seed = 1;
  CHECK(DataSet(data.options).represents_known());
  data.options.valid_labels = data.file("valid.txt", "0\n1\n2\n");
  CHECK_FALSE(DataSet(data.options).represents_known());
  data.options.valid_labels.clear();
  data.add({"other.jpg"});
  data.options.labels = data.file("synsets.txt", "n01440764\nn01443537\nn01484850\nn01440764\n");
  CHECK(DataSet(data.options).known() == nullptr);
  CHECK_FALSE(DataSet(data.options).represents_known());
}

TEST_CASE("numbers of validation images are told by names alone") {
  CHECK(validation_number(val(1)) == 1);
  CHECK(validation_number("a/b/" + val(50'000, ".jpg")) == 50'000);
  for (const std::string& path :
       {val(0), val(50'001), val(1, ""), std::string("ILSVRC2012_val_1.JPEG"),
        std::string("ILSVRC2012_val_00000001x.JPEG"), std::string("x_00000001.JPEG")}) {
    INFO(path);
    CHECK(validation_number(path) == 0);
  }
}
