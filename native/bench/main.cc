// rwkv_bench: random weights of a released shape as a file, what a model costs in the library on this machine, and busy
// processes to be measured beside. Prints one JSON object.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <sstream>

#include "machine.h"
#include "measure.h"
#include "write_model.h"

namespace {

constexpr const char *usage = R"(rwkv_bench write --shape tiny|0.1b|0.4b|1.5b|2.9b --format f16|bf16|q8|q4 FILE
rwkv_bench measure --model FILE [--threads 1] [--streams 1,8,32] [--runs 5] [--hogs 2] [--parts LIST]
           LIST: of bandwidth,prefill,decode,batch,states,idle,hogs,age (default: all but hogs and age)
rwkv_bench hogs COUNT        keeps COUNT processes busy until its standard input ends
)";

std::vector<std::string> list_of(const std::string &text) {
  std::vector<std::string> items;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

// A whole number from 1 to 65536, or 0.
uint32_t count_of(const std::string &text) {
  char *end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  return *end == '\0' && value <= 65536 ? static_cast<uint32_t>(value) : 0;
}

struct Words {
  std::map<std::string, std::string> options;
  std::vector<std::string> others;
  bool good = true;
};

Words read_words(int count, char **words) {
  Words read;
  for (int at = 2; at < count; at++) {
    const std::string word = words[at];
    if (word.compare(0, 2, "--") != 0) {
      read.others.push_back(word);
    } else if (at + 1 < count) {
      read.options[word.substr(2)] = words[++at];
    } else {
      read.good = false;
    }
  }
  return read;
}

int refuse(const std::string &why) {
  std::fprintf(stderr, "rwkv_bench: %s\n", why.c_str());
  return 1;
}

int write(Words &words) {
  const bench::Shape *shape = bench::find_shape(words.options["shape"]);
  if (!shape) return refuse("a shape is tiny, 0.1b, 0.4b, 1.5b or 2.9b");
  if (words.others.size() != 1) return refuse("one FILE to write");
  std::string why;
  return bench::write_model(*shape, words.options["format"], words.others[0], &why) ? 0 : refuse(why);
}

int measure(const Words &words) {
  bench::MeasureOptions options;
  options.parts = {"bandwidth", "prefill", "decode", "batch", "states", "idle"};
  for (const auto &[name, value] : words.options) {
    if (name == "model") {
      options.model = value;
    } else if (name == "streams") {
      options.streams.clear();
      for (const std::string &item : list_of(value)) options.streams.push_back(count_of(item));
    } else if (name == "parts") {
      options.parts.clear();
      for (const std::string &item : list_of(value)) {
        bool known = false;
        for (const char *part : bench::parts_known) known = known || item == part;
        if (!known) return refuse("no part is called " + item);
        options.parts.insert(item);
      }
    } else {
      uint32_t *number = name == "threads" ? &options.threads
                         : name == "runs"  ? &options.runs
                         : name == "hogs"  ? &options.hogs
                                           : nullptr;
      if (!number) return refuse("no option is called --" + name);
      *number = count_of(value);
      if (*number == 0) return refuse("--" + name + " is a whole number from 1 to 65536");
    }
  }
  for (uint32_t streams : options.streams)
    if (streams == 0) return refuse("--streams are whole numbers from 1 to 65536");
  if (options.model.empty() || !words.others.empty()) return refuse("one --model FILE");
  std::printf("%s\n", bench::measure(options).text().c_str());
  return 0;
}

int hogs(const Words &words) {
  const uint32_t count = words.others.size() == 1 ? count_of(words.others[0]) : 0;
  if (count == 0) return refuse("COUNT is a whole number from 1 to 65536");
  const bench::Hogs busy(count);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}

} // namespace

int main(int count, char **words) {
  const std::string verb = count > 1 ? words[1] : "";
  Words read = read_words(count, words);
  try {
    if (read.good && verb == "write") return write(read);
    if (read.good && verb == "measure") return measure(read);
    if (read.good && verb == "hogs") return hogs(read);
  } catch (const std::exception &error) {
    return refuse(error.what());
  }
  std::fputs(usage, stderr);
  return 2;
}
