// Where a model's time goes: step by step, beside what its plan says that a step computes and moves, and
// beside the machine's roof.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "eval/fields.h"
#include "eval/roof_cache.h"
#include "eval/text_table.h"

namespace swinzoo::eval {

// One step, all steps of a kind, or all steps. A step's time is measured as a whole and never divided among
// its operations.
struct ProfileRow {
  std::string name;
  std::string kind;
  int64_t steps = 1;
  double ms = 0;
  std::optional<double> share;
  int64_t macs = 0;
  int64_t bytes = 0;
  std::optional<double> gflops_per_second;
  std::string roof;
  std::optional<double> roof_share;

  bool operator==(const ProfileRow&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, ProfileRow>
void visit_fields(Self& row, Visit&& visit) {
  const auto field = [&](const char* name, auto& member, const char* unit, const char* about) {
    visit(Field{.name = name, .unit = unit, .about = about}, member);
  };
  field("name", row.name, "", "the step, as `info --plan` names it; of a kind, the kind; `total`");
  field("kind", row.kind, "",
        "the step's kind: `patch_embed`, `attention`, `mlp`, `patch_merging`, `norm`, `pool`, `head`");
  field("steps", row.steps, "", "how many steps these are");
  field("ms", row.ms, "ms", "median time of a step over the timed calls; of several steps, the sum of these");
  field("share", row.share, "%", "of the sum of all steps");
  field("macs", row.macs, "", "multiply-accumulates of the batch, those done once at load left out");
  field("bytes", row.bytes, "B", "what must be read and written at least: see `bench --profile`");
  field("gflops_per_second", row.gflops_per_second, "GFLOP/s", "2 x `macs` over the time");
  field(
      "roof", row.roof, "",
      "what limits it: `compute`, or `memory` where reading and writing `bytes` takes longer than computing");
  field("roof_share", row.roof_share, "%", "the time that the roof allows, of the time taken");
}

// Plain data; by_kind is in the order in which the kinds come first, by_step in the plan's.
struct Profile {
  Roof roof;
  ProfileRow total;
  std::vector<ProfileRow> by_kind;
  std::vector<ProfileRow> by_step;

  bool operator==(const Profile&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Profile>
void visit_fields(Self& profile, Visit&& visit) {
  visit(Field{.name = "roof", .about = "what the machine could do at most"}, profile.roof);
  visit(Field{.name = "total", .about = "all steps"}, profile.total);
  visit(Field{.name = "by_kind", .about = "an object a kind of step"}, profile.by_kind);
  visit(Field{.name = "by_step", .about = "an object a step"}, profile.by_step);
}

// Bytes that a step moves at least, as fp32: what its operations read from outside of it, values and weights,
// and its result, each once. Operations done once at load are left out, with the weights that only they read;
// what they made is read. For a batch: values are as many times larger, weights and what was made at load are
// not.
int64_t bytes_of(const backends::Plan& plan, const backends::Step& step, int64_t batch);

// The profile of runs of a batch, one element of `calls` each. REQUIRES: there is one; the roof's figures are
// positive.
Profile profile_of(const backends::Plan& plan, int64_t batch, std::span<const backends::StepTimes> calls,
                   const Roof& roof);

// As tables, each ended by a line of the total.
TextTable table_by_kind(const Profile& profile);
TextTable table_by_step(const Profile& profile);

}  // namespace swinzoo::eval
