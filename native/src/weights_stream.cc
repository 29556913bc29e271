// Files are read through stdio in pieces; nothing of a file is held but the piece.
#include "weights_stream.h"

#include "failure.h"
#include "limits.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace rwkv {

WeightStream::WeightStream(const std::string &path) {
  std::error_code problem;
  const auto status = std::filesystem::status(std::filesystem::path(path), problem);
  if (!std::filesystem::exists(status)) {
    fail(RWKV_FILE, problem && problem.value() != ENOENT ? problem.message() : "no such file");
  }
  if (!std::filesystem::is_regular_file(status)) fail(RWKV_FILE, "not a regular file");
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (!file_) fail(RWKV_FILE, std::strerror(errno));
  bytes_ = std::filesystem::file_size(path, problem);
  if (problem) fail(RWKV_FILE, problem.message());
}

void WeightStream::read(void *to, size_t bytes) {
  if (bytes == 0) return;
  errno = 0;
  if (std::fread(to, 1, bytes, file_.get()) != bytes) {
    fail(RWKV_FILE, std::ferror(file_.get()) ? std::strerror(errno) : "the file became shorter while it was read");
  }
  hash_.update(to, bytes);
  at_ += bytes;
}

void WeightStream::skip(uint64_t bytes) {
  uint8_t piece[4096];
  while (bytes > 0) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(bytes, sizeof piece));
    read(piece, count);
    bytes -= count;
  }
}

std::array<uint8_t, 32> WeightStream::read_tensors(const std::vector<TensorEntry> &entries, const Sink &sink) {
  constexpr uint64_t step = 256; // whole blocks of every type
  std::vector<uint8_t> piece(limits::read_bytes);
  const uint64_t start = at_;
  for (size_t index = 0; index < entries.size(); ++index) {
    const TensorEntry &entry = entries[index];
    const StoredType &type = stored_type(entry.type);
    if (entry.element_count == 0) continue;
    skip(start + entry.begin - at_);
    const uint64_t most = piece.size() / type.bytes * type.columns / step * step;
    for (uint64_t first = 0; first < entry.element_count;) {
      const uint64_t count = std::min(entry.element_count - first, most);
      read(piece.data(), count / type.columns * type.bytes);
      sink(index, first, piece.data(), count);
      first += count;
    }
  }
  skip(bytes_ - at_);
  return hash_.finish();
}

} // namespace rwkv
