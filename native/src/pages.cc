// The system's part of pages.h: mmap and madvise where they exist, else aligned operator new. Under AddressSanitizer
// operator new too, as it knows where such a block ends.
#include "pages.h"

#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RWKV_NO_MMAP
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define RWKV_NO_MMAP
#endif
#if (defined(__unix__) || defined(__APPLE__)) && !defined(RWKV_NO_MMAP)
#include <sys/mman.h>
#define RWKV_HAS_MMAP
#endif

namespace rwkv {
namespace {

constexpr size_t huge_page = size_t{2} << 20;

#if defined(RWKV_HAS_MMAP)
// A mapping that begins at a multiple of 2 MiB; null when there is none to be had.
uint8_t *map(size_t bytes) {
  const size_t wide = bytes + huge_page;
  void *const got = mmap(nullptr, wide, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  auto *const first = static_cast<uint8_t *>(got);
  const size_t before = (huge_page - reinterpret_cast<uintptr_t>(first) % huge_page) % huge_page;
  if (before > 0) munmap(first, before);
  munmap(first + before + bytes, wide - before - bytes);
  return first + before;
}

// Brings every page in. False: there is no memory for them.
bool populate(uint8_t *at, size_t bytes) {
#if defined(MADV_HUGEPAGE)
  madvise(at, bytes, MADV_HUGEPAGE); // a wish; small pages do as well, only slower
#endif
#if defined(MADV_POPULATE_WRITE)
  if (madvise(at, bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (errno == ENOMEM) return false; // other answers: a kernel that does not know it
#endif
  std::memset(at, 0, bytes);
  return true;
}
#endif

} // namespace

Pages::Pages(size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  if (bytes > std::numeric_limits<size_t>::max() / 2 - 2 * huge_page) throw std::bad_alloc();
#if defined(RWKV_HAS_MMAP)
  const size_t whole = (bytes + huge_page - 1) / huge_page * huge_page;
  data_ = map(whole);
  if (!data_) throw std::bad_alloc();
  if (!populate(data_, whole)) {
    munmap(data_, whole);
    throw std::bad_alloc();
  }
  mapped_bytes_ = whole;
#else
  data_ = static_cast<uint8_t *>(::operator new(bytes, std::align_val_t{huge_page}));
  std::memset(data_, 0, bytes);
#endif
}

Pages::~Pages() {
#if defined(RWKV_HAS_MMAP)
  if (data_) munmap(data_, mapped_bytes_);
#else
  if (data_) ::operator delete(data_, std::align_val_t{huge_page});
#endif
}

} // namespace rwkv
