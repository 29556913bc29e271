// Any bytes as a GGUF file: the mark is given, as without it the reader would take them for another container.
#include "file.h"

#include <vector>

void fuzz::gguf(const uint8_t *bytes, size_t count) {
  if (count < 2) return;
  std::vector<uint8_t> marked(bytes, bytes + 2);
  for (const char letter : {'G', 'G', 'U', 'F'}) marked.push_back(static_cast<uint8_t>(letter));
  marked.insert(marked.end(), bytes + 2, bytes + count);
  load_any(marked.data(), marked.size());
}
