// Are a spec's numbers possible? What a plan is built from went through here, whatever file it came from.
#pragma once

#include <string>

#include "zoo/spec.h"

namespace swinzoo::zoo {

// Throws kCorrupt, starting with `where`, unless: the family is known; all extents are positive and small
// enough that no product of them wraps; depths, heads and windows have one value a stage; each stage's
// channels divide by its heads; the image divides into patches and the clip into pairs of frames; and members
// of another family are unset (pretrained_window_size has one value a stage in swinv2 and is empty
// elsewhere).
void check_dimensions(const Dimensions& dimensions, const std::string& where);

// Throws kCorrupt unless 0 < crop_pct <= 1 and all std are positive.
void check_preprocessing(const Preprocessing& preprocessing, const std::string& where);

}  // namespace swinzoo::zoo
