#include "eval/known_data_sets.h"

#include <algorithm>
#include <charconv>

#include "zoo/class_names.h"

namespace swinzoo::eval {
namespace {

// timm 1.0.31 (Apache-2.0), data/_info/imagenet_a_indices.txt.
constexpr std::array<int64_t, 200> kImageNetA = {
    6,   11,  13,  15,  17,  22,  23,  27,  30,  37,  39,  42,  47,  50,  57,  70,  71,  76,  79,  89,
    90,  94,  96,  97,  99,  105, 107, 108, 110, 113, 124, 125, 130, 132, 143, 144, 150, 151, 207, 234,
    235, 254, 277, 283, 287, 291, 295, 298, 301, 306, 307, 308, 309, 310, 311, 313, 314, 315, 317, 319,
    323, 324, 326, 327, 330, 334, 335, 336, 347, 361, 363, 372, 378, 386, 397, 400, 401, 402, 404, 407,
    411, 416, 417, 420, 425, 428, 430, 437, 438, 445, 456, 457, 461, 462, 470, 472, 483, 486, 488, 492,
    496, 514, 516, 528, 530, 539, 542, 543, 549, 552, 557, 561, 562, 569, 572, 573, 575, 579, 589, 606,
    607, 609, 614, 626, 627, 640, 641, 642, 643, 658, 668, 677, 682, 684, 687, 701, 704, 719, 736, 746,
    749, 752, 758, 763, 765, 768, 773, 774, 776, 779, 780, 786, 792, 797, 802, 803, 804, 813, 815, 820,
    823, 831, 833, 835, 839, 845, 847, 850, 859, 862, 870, 879, 880, 888, 890, 897, 900, 907, 913, 924,
    932, 933, 934, 937, 943, 945, 947, 951, 954, 956, 957, 959, 971, 972, 980, 981, 984, 986, 987, 988,
};

// The same, imagenet_r_indices.txt.
constexpr std::array<int64_t, 200> kImageNetR = {
    1,   2,   4,   6,   8,   9,   11,  13,  22,  23,  26,  29,  31,  39,  47,  63,  71,  76,  79,  84,
    90,  94,  96,  97,  99,  100, 105, 107, 113, 122, 125, 130, 132, 144, 145, 147, 148, 150, 151, 155,
    160, 161, 162, 163, 171, 172, 178, 187, 195, 199, 203, 207, 208, 219, 231, 232, 234, 235, 242, 245,
    247, 250, 251, 254, 259, 260, 263, 265, 267, 269, 276, 277, 281, 288, 289, 291, 292, 293, 296, 299,
    301, 308, 309, 310, 311, 314, 315, 319, 323, 327, 330, 334, 335, 337, 338, 340, 341, 344, 347, 353,
    355, 361, 362, 365, 366, 367, 368, 372, 388, 390, 393, 397, 401, 407, 413, 414, 425, 428, 430, 435,
    437, 441, 447, 448, 457, 462, 463, 469, 470, 471, 472, 476, 483, 487, 515, 546, 555, 558, 570, 579,
    583, 587, 593, 594, 596, 609, 613, 617, 621, 629, 637, 657, 658, 701, 717, 724, 763, 768, 774, 776,
    779, 780, 787, 805, 812, 815, 820, 824, 833, 847, 852, 866, 875, 883, 889, 895, 907, 928, 931, 932,
    933, 934, 936, 937, 943, 945, 947, 948, 949, 951, 953, 954, 957, 963, 965, 967, 980, 981, 983, 988,
};

// Sizes: those of the published archives. ImageNet-1k's validation set is 50,000 images (image-net.org,
// ILSVRC2012); -A 7,500 and -R 30,000 (github.com/hendrycks), Sketch 50,889
// (github.com/HaohanWang/ImageNet-Sketch), -V2 10,000 (github.com/modestyachts/ImageNetV2).
constexpr KnownDataSet kValidation = {"imagenet", 50'000, {}};
constexpr KnownDataSet kReal = {"imagenet-real", 50'000, {}};
constexpr KnownDataSet kA = {"imagenet-a", 7'500, kImageNetA};
constexpr KnownDataSet kR = {"imagenet-r", 30'000, kImageNetR};
constexpr KnownDataSet kSketch = {"sketch", 50'889, {}};
constexpr KnownDataSet kV2 = {"imagenetv2-matched-frequency", 10'000, {}};

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Whether the names are the synsets of these classes, all of them and no other.
bool are_synsets_of(const std::set<std::string>& names, std::span<const int64_t> classes) {
  return std::ranges::equal(names, classes, [](const std::string& name, int64_t id) {
    return name == zoo::imagenet1k_synsets()[static_cast<size_t>(id)];
  });
}

// Whether the names are 0 to 999.
bool are_v2_folders(const std::set<std::string>& names) {
  for (int64_t i = 0; i < 1000; ++i) {
    if (!names.contains(std::to_string(i))) return false;
  }
  return names.size() == 1000;
}

}  // namespace

int64_t validation_number(std::string_view path) {
  constexpr std::string_view kStart = "ILSVRC2012_val_";
  std::string_view name = file_name(path);
  if (!name.starts_with(kStart)) return 0;
  name.remove_prefix(kStart.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_name = error == std::errc() && end == name.data() + 8 && name.substr(8).starts_with('.');
  return is_name && number >= 1 && number <= 50'000 ? number : 0;
}

const KnownDataSet* recognised(const std::filesystem::path& data, std::span<const std::string> paths,
                               const std::set<std::string>& class_names, bool real_labels) {
  if (paths.empty()) return nullptr;
  const auto all = [&](auto is) { return std::ranges::all_of(paths, is); };
  if (all([](const std::string& path) { return validation_number(path) > 0; })) {
    return real_labels ? &kReal : &kValidation;
  }
  if (real_labels) return nullptr;
  if (are_synsets_of(class_names, kImageNetA)) return &kA;
  if (are_synsets_of(class_names, kImageNetR)) return &kR;
  if (class_names.size() == 1000 && all([](const std::string& path) {
        return file_name(path).starts_with("sketch_") &&
               zoo::imagenet1k_class(file_name(path.substr(0, path.rfind('/')))) >= 0;
      })) {
    return &kSketch;
  }
  const bool named_v2 =
      (data / paths.front()).string().find("imagenetv2-matched-frequency") != std::string::npos;
  return named_v2 && are_v2_folders(class_names) ? &kV2 : nullptr;
}

}  // namespace swinzoo::eval
