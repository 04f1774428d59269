// PNG by libpng, with Pillow's conversions: 16-bit samples keep their high byte, but 16-bit gray is clipped
// to 255; alpha and tRNS are dropped, not blended; a palette index beyond PLTE's end is black. Gamma and
// colour profiles are left alone. Sources: PIL/PngImagePlugin.py (_MODES), src/libImaging/Unpack.c, I16_RGB
// in src/libImaging/Convert.c, ImagingPaletteNew in src/libImaging/Palette.c.
//
// Stricter than Pillow, which ignores IDAT's checksums and a missing end: both are errors here.
//
// libpng reports errors by longjmp. Each function that calls setjmp has only trivial locals, and whatever
// owns memory lives in its caller's frame, so that no destructor is jumped over.
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "eval/image_format.h"
#include "formats/error.h"

namespace swinzoo::eval {

namespace {

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const std::byte> rest;  // not read yet
  char message[256] = "";

  Reader() = default;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

[[noreturn]] void jump_out(png_structp png, png_const_charp message) {
  auto* self = static_cast<Reader*>(png_get_error_ptr(png));
  std::strncpy(self->message, message, sizeof(self->message) - 1);
  png_longjmp(png, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, size_t size) {
  auto* self = static_cast<Reader*>(png_get_io_ptr(png));
  if (size > self->rest.size()) png_error(png, "the file is truncated");
  std::memcpy(out, self->rest.data(), size);
  self->rest = self->rest.subspan(size);
}

// False where the data is damaged (message set); so too below.
bool read_header(Reader& self) {
  if (setjmp(png_jmpbuf(self.png)) != 0) return false;
  png_set_read_fn(self.png, &self, &read_bytes);
  png_set_keep_unknown_chunks(self.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // ancillary ones
  png_set_user_limits(self.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);             // allocate_image has its own
  png_read_info(self.png, self.info);
  return true;
}

// Asks libpng for 8-bit RGB rows; of palette images for one index a byte, of 16-bit gray for two bytes a
// pixel.
bool set_transforms(Reader& self) {
  if (setjmp(png_jmpbuf(self.png)) != 0) return false;
  const int color = png_get_color_type(self.png, self.info);
  const int depth = png_get_bit_depth(self.png, self.info);
  if (color != PNG_COLOR_TYPE_GRAY || depth != 16) {
    if (depth == 16) png_set_strip_16(self.png);
    if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(self.png);
    if (color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(self.png);
    if (!(color & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(self.png);
    png_set_strip_alpha(self.png);
  }
  png_set_interlace_handling(self.png);
  png_read_update_info(self.png, self.info);
  return true;
}

bool read_rows(Reader& self, png_bytepp rows) {
  if (setjmp(png_jmpbuf(self.png)) != 0) return false;
  png_read_image(self.png, rows);
  png_read_end(self.png, nullptr);
  return true;
}

// 16-bit samples are big-endian.
void gray16_to_rgb(const std::vector<uint8_t>& samples, uint8_t* rgb) {
  for (size_t i = 0; i < samples.size(); i += 2, rgb += 3) {
    std::memset(rgb, samples[i] == 0 ? samples[i + 1] : 255, 3);
  }
}

}  // namespace

void decode_png(std::span<const std::byte> bytes, const std::string& name, Image& image) {
  Reader self;
  self.rest = bytes;
  self.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &self, &jump_out, &ignore_warning);
  if (self.png != nullptr) self.info = png_create_info_struct(self.png);
  if (self.info == nullptr) fail(ErrorCode::kFailed, "{}: libpng can't be started: {}", name, self.message);

  if (!read_header(self)) fail(ErrorCode::kCorrupt, "{}: damaged PNG: {}", name, self.message);
  const int64_t width = png_get_image_width(self.png, self.info);
  const int64_t height = png_get_image_height(self.png, self.info);
  allocate_image(width, height, name, image);
  if (!set_transforms(self)) fail(ErrorCode::kCorrupt, "{}: damaged PNG: {}", name, self.message);

  const size_t stride = png_get_rowbytes(self.png, self.info);
  const bool is_rgb = stride == static_cast<size_t>(3 * width);
  std::vector<uint8_t> gray16(is_rgb ? 0 : stride * static_cast<size_t>(height));
  std::vector<png_bytep> rows(static_cast<size_t>(height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = (is_rgb ? image.rgb.data() : gray16.data()) + y * stride;
  if (!read_rows(self, rows.data())) fail(ErrorCode::kCorrupt, "{}: damaged PNG: {}", name, self.message);
  if (!is_rgb) gray16_to_rgb(gray16, image.rgb.data());
}

std::string png_version() { return "libpng " PNG_LIBPNG_VER_STRING; }

}  // namespace swinzoo::eval
