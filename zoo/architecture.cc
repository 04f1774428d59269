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

backends::Plan build_plan(const ModelSpec& spec) {
  const auto all = architectures();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Architecture& a) { return a.family == spec.dimensions.family; });
  if (found == all.end()) {
    fail(ErrorCode::kUnsupported, "{}: there is no architecture family '{}'", spec.id,
         spec.dimensions.family);
  }
  return found->build_plan(spec);
}

}  // namespace swinzoo::zoo
