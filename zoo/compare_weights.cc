#include "zoo/compare_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <map>
#include <set>

#include "formats/half.h"
#include "zoo/name_map.h"
#include "zoo/spec_json.h"

namespace swinzoo::zoo {
namespace {

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

bool rounds_to(std::span<const float> from, std::span<const float> to, float (*round)(float)) {
  return std::ranges::equal(from, to, [&](float x, float y) {
    return std::isnan(x) ? std::isnan(y) : std::bit_cast<uint32_t>(round(x)) == std::bit_cast<uint32_t>(y);
  });
}

// Which explanations of two models being the same are left. Of a tensor that is the same bit for bit, all
// hold.
struct Explanations {
  struct Rounding {
    Verdict verdict;
    bool a_is_rounded;
    float (*round)(float);
    bool holds = true;
  };
  bool same = true;
  std::array<Rounding, 4> roundings = {{
      {Verdict::kSameAfterF16, false, &rounded_to_f16},
      {Verdict::kSameAfterF16, true, &rounded_to_f16},
      {Verdict::kSameAfterBF16, false, &rounded_to_bf16},
      {Verdict::kSameAfterBF16, true, &rounded_to_bf16},
  }};

  void narrow_by(std::span<const float> a, std::span<const float> b) {
    same = false;
    for (Rounding& r : roundings) {
      if (r.holds) r.holds = r.a_is_rounded ? rounds_to(b, a, r.round) : rounds_to(a, b, r.round);
    }
  }

  void none() {
    same = false;
    for (Rounding& r : roundings) r.holds = false;
  }

  void decide(WeightComparison& comparison) const {
    comparison.verdict = same ? Verdict::kSame : Verdict::kDifferent;
    if (same) return;
    const auto found = std::ranges::find_if(roundings, [](const Rounding& r) { return r.holds; });
    if (found == roundings.end()) return;
    comparison.verdict = found->verdict;
    comparison.a_is_rounded = found->a_is_rounded;
  }
};

// The weights that the checkpoint has whole, by name: indexes into the plan's.
std::map<std::string_view, size_t> readable_weights(const MatchedModel& model) {
  std::set<std::string_view> bad(model.match.missing.begin(), model.match.missing.end());
  for (const std::string_view text : model.match.misshaped) bad.insert(text.substr(0, text.find(' ')));
  const auto layouts = layouts_of(model.opened.spec.dimensions.family);
  const auto layout =
      std::ranges::find_if(layouts, [&](const Layout& l) { return l.name == model.match.layout; });
  std::map<std::string_view, size_t> weights;
  for (size_t i = 0; i < model.plan.weights.size(); ++i) {
    const backends::Weight& weight = model.plan.weights[i];
    const std::vector<std::string> names = place_in(*layout, weight.name, weight.shape).names;
    if (std::ranges::none_of(names, [&](const std::string& n) { return bad.contains(n); })) {
      weights.emplace(weight.name, i);
    }
  }
  return weights;
}

std::vector<DimensionDifference> differences_of(const ModelSpec& a, const ModelSpec& b) {
  const auto members = [](const ModelSpec& spec) {
    json::object object = to_json(spec.dimensions);
    object["num_classes"] = spec.num_classes;
    return object;
  };
  const json::object in_a = members(a), in_b = members(b);
  std::vector<DimensionDifference> differences;
  const auto text_in = [](const json::object& object, std::string_view name) {
    const json::value* value = find_member(object, name);
    return value == nullptr ? std::string("null") : to_json_line(*value);
  };
  std::vector<std::string> names;
  for (const auto& member : in_a) names.emplace_back(member.key());
  for (const auto& member : in_b) {
    if (!in_a.contains(member.key())) names.emplace_back(member.key());
  }
  for (const std::string& name : names) {
    DimensionDifference difference{name, text_in(in_a, name), text_in(in_b, name)};
    if (difference.a != difference.b) differences.push_back(std::move(difference));
  }
  return differences;
}

}  // namespace

ElementDifference difference_of(std::span<const float> a, std::span<const float> b) {
  ElementDifference result;
  const auto largest = [&](float value) {
    if (std::isfinite(value)) result.abs_max = std::max(result.abs_max, std::abs(double{value}));
  };
  for (size_t i = 0; i < a.size(); ++i) {
    largest(a[i]);
    largest(b[i]);
    if (std::bit_cast<uint32_t>(a[i]) == std::bit_cast<uint32_t>(b[i])) continue;
    ++result.different;
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
      ++result.not_finite;
    } else {
      result.max_abs = std::max(result.max_abs, std::abs(double{a[i]} - double{b[i]}));
    }
  }
  return result;
}

std::string_view text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame:
      return "same weights";
    case Verdict::kSameAfterF16:
      return "same after rounding to f16";
    case Verdict::kSameAfterBF16:
      return "same after rounding to bf16";
    case Verdict::kDifferent:
      return "different";
  }
  return "?";
}

WeightComparison compare_weights(const MatchedModel& a, const MatchedModel& b) {
  WeightComparison comparison;
  comparison.dimensions = differences_of(a.opened.spec, b.opened.spec);
  Explanations explanations;
  const auto in_a = readable_weights(a);
  auto in_b = readable_weights(b);
  for (size_t i = 0; i < a.plan.weights.size(); ++i) {  // in the plan's order
    const auto& [name, shape] = a.plan.weights[i];
    if (!in_a.contains(name)) continue;
    const auto other = in_b.find(name);
    if (other == in_b.end()) {
      comparison.only_in_a.push_back(name);
      continue;
    }
    const size_t j = other->second;
    in_b.erase(other);
    if (b.plan.weights[j].shape != shape) {
      comparison.reshaped.push_back({name, shape, b.plan.weights[j].shape});
      continue;
    }
    Tensor scratch_a, scratch_b;
    const TensorView view_a = a.read(i, scratch_a), view_b = b.read(j, scratch_b);
    const auto elements_a = view_a.as<float>(), elements_b = view_b.as<float>();
    ++comparison.compared;
    if (!same_bits(elements_a, elements_b)) {
      explanations.narrow_by(elements_a, elements_b);
      comparison.different.push_back({name, shape, difference_of(elements_a, elements_b)});
    }
    a.release(i);
    b.release(j);
  }
  for (const backends::Weight& weight : b.plan.weights) {
    if (in_b.contains(weight.name)) comparison.only_in_b.push_back(weight.name);
  }
  std::ranges::set_difference(a.match.unexpected, b.match.unexpected,
                              std::back_inserter(comparison.only_in_a));
  std::ranges::set_difference(b.match.unexpected, a.match.unexpected,
                              std::back_inserter(comparison.only_in_b));
  if (!comparison.reshaped.empty() || !comparison.only_in_a.empty() || !comparison.only_in_b.empty()) {
    explanations.none();
  }
  explanations.decide(comparison);
  return comparison;
}

}  // namespace swinzoo::zoo
