// Any bytes as a safetensors file.
#include "file.h"

void fuzz::safetensors(const uint8_t *bytes, size_t count) { load_any(bytes, count); }
