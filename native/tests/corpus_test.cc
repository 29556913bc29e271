// Every input that the fuzzers kept (fuzz/corpus) goes to every target: what they once found stays found. A target ends
// the program when a rule is broken.
#include "../fuzz/targets.h"
#include "check.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

std::vector<uint8_t> read(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

} // namespace

int main(int count, char **arguments) {
  const std::filesystem::path corpus = count > 1 ? arguments[1] : RWKV_FUZZ_CORPUS;
  for (const fuzz::Target &home : fuzz::targets) {
    std::vector<std::filesystem::path> inputs;
    for (const auto &entry : std::filesystem::directory_iterator(corpus / home.name)) inputs.push_back(entry.path());
    std::sort(inputs.begin(), inputs.end());
    CHECK(inputs.size() >= 3);
    for (const auto &path : inputs) {
      const auto bytes = read(path);
      CHECK(!bytes.empty());
      for (const fuzz::Target &target : fuzz::targets) {
        target.run(bytes.data(), bytes.size());
        CHECK(true);
      }
    }
  }
  return report("corpus");
}
