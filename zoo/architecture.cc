#include "zoo/architecture.h"

#include <algorithm>
#include <array>

#include "formats/error.h"
#include "zoo/arch/swin.h"
#include "zoo/arch/swinv2.h"
#include "zoo/arch/swinv2_cr.h"
#include "zoo/arch/video_swin.h"

namespace swinzoo::zoo {

std::span<const Architecture> architectures() {
  static constexpr std::array<Architecture, 4> kArchitectures = {{
      {"swin", &build_swin_plan},
      {"swinv2", &build_swinv2_plan},
      {"swinv2_cr", &build_swinv2_cr_plan},
      {"video_swin", &build_video_swin_plan},
  }};
  return kArchitectures;
}

const Architecture* find_architecture(std::string_view family) {
  const auto all = architectures();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Architecture& a) { return a.family == family; });
  return found == all.end() ? nullptr : &*found;
}

const Architecture& require_architecture(const ModelSpec& spec) {
  const Architecture* architecture = find_architecture(spec.dimensions.family);
  if (architecture == nullptr) {
    fail(ErrorCode::kUnsupported, "{}: the architecture family '{}' is not built yet", spec.id,
         spec.dimensions.family);
  }
  return *architecture;
}

backends::Plan build_plan(const ModelSpec& spec) { return require_architecture(spec).build_plan(spec); }

}  // namespace swinzoo::zoo
