// Models at another image size than their own (--img-size), as timm's create_model(img_size=...) makes them.
#pragma once

#include <memory>

#include "formats/checkpoint.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Makes a spec that of images of another side. swinv2_cr's windows are an eighth of the grid, so they follow; the other
// families keep theirs, clipped to a grid that is smaller. Throws kUsage where no model can have that size.
void set_image_size(ModelSpec& spec, int64_t image_size);

// The checkpoint with the position bias tables that the spec's windows need: those of another size are resized as timm
// does (bias_table.h); all else is as it was. A checkpoint that does not fit for other reasons is given back as it is.
std::unique_ptr<Checkpoint> with_resized_tables(std::unique_ptr<Checkpoint> checkpoint, const ModelSpec& spec);

}  // namespace swinzoo::zoo
