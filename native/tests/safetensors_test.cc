// The reader against files that lie: every length, offset, shape, name and value that could hurt is refused
// with a sentence, and nothing is read outside the file (run this under AddressSanitizer too).
#include "../src/safetensors.h"

#include "../src/failure.h"
#include "../src/sha256.h"
#include "rig.h"

using rwkv::Failure;

namespace {

// "" when the header is accepted.
std::string header_problem(const std::string &json, uint64_t data_bytes) {
  try {
    rwkv::parse_safetensors_header(json, data_bytes);
    return "";
  } catch (const Failure &failure) {
    CHECK(failure.status == RWKV_FORMAT);
    CHECK(!failure.sentence.empty());
    return failure.sentence;
  }
}

std::string tensor(const std::string &shape, const std::string &offsets, const std::string &dtype = "F32") {
  return "\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]}";
}

void headers() {
  const auto one = [](const std::string &entry, uint64_t bytes) { return header_problem("{" + entry + "}", bytes); };
  CHECK(one(tensor("2,3", "0,24"), 24) == "");
  CHECK(one(tensor("2,3", "0,12", "F16"), 12) == "");
  CHECK(one(tensor("2,3", "0,12", "BF16"), 12) == "");
  CHECK(one(tensor("", "0,4"), 4) == "");    // a scalar
  CHECK(one(tensor("0,7", "0,0"), 0) == ""); // nothing, lawfully
  CHECK(header_problem("{}", 0) == "");
  CHECK(header_problem("  { }  \n", 0) == "");

  CHECK(one(tensor("2,3", "0,24"), 25) == "bytes follow the last tensor");
  CHECK(one(tensor("2,3", "0,24"), 23) == "tensor \"a\" reaches outside the file");
  CHECK(one(tensor("2,3", "24,0"), 24) == "tensor \"a\" reaches outside the file");
  CHECK(one(tensor("2,3", "0,20"), 20) == "tensor \"a\" has a shape that does not fit its data_offsets");
  CHECK(one(tensor("2,3", "0,24", "I8"), 24) == "tensor \"a\" has type \"I8\"; F32, F16 and BF16 are read");
  CHECK(one(tensor("4294967296,4294967296", "0,0"), 0) == "tensor \"a\" has an impossible shape");
  CHECK(one(tensor("4611686018427387904", "0,0"), 0).find("does not fit") != std::string::npos); // · 4 is 2^64
  CHECK(one(tensor("2,3", "0,18446744073709551615"), 24) == "tensor \"a\" reaches outside the file");
  CHECK(one(tensor("2,3", "18446744073709551600,18446744073709551615"), 24) != "");
  CHECK(one(tensor("18446744073709551616", "0,24"), 24).find("too large") != std::string::npos);
  for (const char *bad : {"-1", "1.5", "1e3", "01", "\"2\"", "null", "[2]", "1,", ",1", "1 2"}) {
    CHECK(one(tensor(bad, "0,4"), 4) != "");
    CHECK(one(tensor("1", bad), 4) != "");
  }
  CHECK(one(tensor("1,1,1,1,1,1,1,1,1", "0,4"), 4).find("too long") != std::string::npos);
  CHECK(one(tensor("1", "0"), 4) != "" && one(tensor("1", "0,4,4"), 4) != "");

  const std::string b = R"("b":{"dtype":"F32","shape":[1],"data_offsets":[)";
  CHECK(header_problem("{" + tensor("1", "4,8") + "," + b + "0,4]}}", 8) == ""); // any order in the header
  CHECK(header_problem("{" + tensor("1", "0,4") + "," + b + "0,4]}}", 4).find("overlaps") != std::string::npos);
  CHECK(header_problem("{" + tensor("2", "0,8") + "," + b + "4,8]}}", 8).find("overlaps") != std::string::npos);
  CHECK(header_problem("{" + tensor("1", "0,4") + "," + b + "8,12]}}", 12).find("gap") != std::string::npos);
  CHECK(header_problem("{" + tensor("1", "0,4") + "," + tensor("1", "4,8") + "}", 8) ==
        "tensor \"a\" is there twice");
  CHECK(header_problem(R"({"__metadata__":{"k":"v","l":"\u0041"}})", 0) == "");
  CHECK(header_problem(R"({"__metadata__":{"k":1}})", 0) != "");

  CHECK(one(R"("a":{"dtype":"F32","shape":[1]})", 4).find("needs dtype, shape and data_offsets") !=
        std::string::npos);
  CHECK(one(R"("a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]})", 4) != "");
  CHECK(one(R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1})", 4).find("unknown key") !=
        std::string::npos);
  CHECK(header_problem(R"({"a\u00XX":{}})", 0) != "" && header_problem(R"({"\ud800":{}})", 0) != "");
  CHECK(header_problem("{\"a\n\":{}}", 0) != "" && header_problem(R"({"a\q":{}})", 0) != "");
  CHECK(header_problem("{\"\x1b[31m\":{}}", 0) != "");
  CHECK(header_problem(R"({"\u001b[31m":[]})", 0).find('\x1b') == std::string::npos);
}

// No prefix and no single damaged byte of a good header may crash or read outside.
void damaged_headers() {
  const std::string good = header_of(tiny_rwkv7());
  const uint64_t bytes = data_of(tiny_rwkv7()).size();
  CHECK(header_problem(good, bytes) == "");
  for (size_t length = 0; length < good.size(); ++length) CHECK(header_problem(good.substr(0, length), bytes) != "");
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char damage : {'\0', '"', '}', '9', '\x80', '\\'}) {
      std::string bad = good;
      bad[at] = damage;
      header_problem(bad, bytes); // accepted or refused, but answered
    }
  }
  CHECK(header_problem(good + " x", bytes) != "");
}

struct Load {
  int32_t status;
  std::string sentence;
};

Load load(const std::string &bytes) {
  const TemporaryFile file(bytes);
  const Engine engine(file.path());
  std::string sentence = engine.load_status == RWKV_OK ? "" : engine.sentence();
  const std::string start = "Cannot load weights \"" + file.path() + "\": ";
  if (!sentence.empty()) {
    CHECK(sentence.starts_with(start));
    sentence.erase(0, start.size());
    rwkv_state *state = nullptr; // the engine stays unloaded
    CHECK(rwkv_state_new(engine, &state) == RWKV_MISUSE);
  }
  return {engine.load_status, sentence};
}

void whole_files() {
  const Tensors weights = tiny_rwkv7();
  const std::string good = bytes_of(weights);
  CHECK(load(good).status == RWKV_OK);
  for (size_t bytes = 0; bytes < good.size(); bytes += bytes < 16 ? 1 : good.size() / 37) {
    const Load cut = load(good.substr(0, bytes));
    CHECK(cut.status == RWKV_FORMAT && !cut.sentence.empty());
  }
  CHECK(load(good + "x").sentence == "bytes follow the last tensor");
  CHECK(load(std::string(8, '\xff')).sentence == "the header is longer than the file");
  CHECK(load(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}")).sentence == "the header is longer than the file");
  CHECK(load("short").sentence == "the file is too short for a safetensors header");
  CHECK(load(file_of("{}", "")).sentence.find("it is not RWKV-7 (\"blocks.0.att.r_k\"), RWKV-6 ") == 0);
}

void wrong_tensors(const Tensors &good, const std::string &mark) {
  for (const auto &[name, ignored] : good) { // any one missing is named
    Tensors missing = good;
    missing.erase(name);
    const Load result = load(bytes_of(missing));
    CHECK(result.status == RWKV_FORMAT);
    CHECK(result.sentence == "tensor \"" + name + "\" is missing" || name == mark);
  }
  for (const auto &[name, tensor] : good) { // so is any of a wrong shape
    Tensors reshaped = good;
    reshaped[name].shape.insert(reshaped[name].shape.begin(), 2);
    reshaped[name].values.resize(2 * tensor.values.size());
    CHECK(load(bytes_of(reshaped)).sentence.find("tensor \"" + name + "\" has shape [2, ") == 0);
  }
}

void strange_tensors() {
  const Tensors good = tiny_rwkv7();
  const auto with = [&](const std::string &name, std::vector<uint64_t> shape) {
    Tensors more = good;
    size_t count = 1;
    for (const uint64_t size : shape) count *= size;
    more[name] = {shape, std::vector<float>(count)};
    return load(bytes_of(more)).sentence;
  };
  CHECK(with("extra", {2}) == "tensor \"extra\" is unknown");
  CHECK(with("blocks.1.att.x_q", {128}) == "tensor \"blocks.1.att.x_q\" is unknown");
  CHECK(with("blocks.0.ffn.s_emb.weight", {32, 128}).find("DeepEmbed") != std::string::npos);
  CHECK(with("blocks.1.ffn.s1", {128, 8}).find("DeepEmbed") != std::string::npos);
  CHECK(with("blocks.2.ln1.weight", {128}) == "tensor \"blocks.2.ln1.bias\" is missing");
  CHECK(with("blocks.9999999.x", {1}).find("impossible layer") != std::string::npos);
  CHECK(with("blocks.4294967297.x", {1}).find("impossible layer") != std::string::npos);
  CHECK(with("blocks.x", {1}).find("impossible layer") != std::string::npos);
  CHECK(with("rwkv.emb.weight", {32, 128}).find("is there twice") != std::string::npos);

  for (const float bad : {HUGE_VALF, -HUGE_VALF, NAN}) {
    Tensors poisoned = good;
    poisoned["blocks.1.att.w1"].values[77] = bad;
    CHECK(load(bytes_of(poisoned)).sentence == "tensor \"blocks.1.att.w1\" holds a value that is not finite");
  }
  Tensors narrow;
  narrow["blocks.0.att.receptance.weight"] = {{96, 96}, std::vector<float>(96 * 96)};
  narrow["blocks.0.att.r_k"] = {{1, 64}, std::vector<float>(64)};
  CHECK(load(bytes_of(narrow)).sentence.find("not a multiple of the head size 64") != std::string::npos);
}

void paths() {
  const auto status = [](const std::string &path) {
    const Engine engine(path);
    CHECK(engine.sentence().find(path) != std::string::npos);
    return engine.load_status;
  };
  CHECK(status("/nowhere/at/all.safetensors") == RWKV_FILE);
  CHECK(status("/tmp") == RWKV_FILE);
  CHECK(status("/dev/zero") == RWKV_FILE);
  const Engine engine("/nowhere.safetensors");
  CHECK(engine.sentence() == "Cannot load weights \"/nowhere.safetensors\": no such file");
}

std::string hex(const std::string &text, size_t pieces) {
  rwkv::Sha256 sha;
  for (size_t at = 0; at < text.size(); at += pieces) sha.update(text.data() + at, std::min(pieces, text.size() - at));
  std::string out;
  for (const uint8_t byte : sha.finish()) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    out += digits;
  }
  return out;
}

// The examples of FIPS 180-4.
void sha256() {
  CHECK(hex("", 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex("abc", 1) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  for (const size_t pieces : {1, 3, 55, 64, 100}) {
    CHECK(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", pieces) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(hex(std::string(1000000, 'a'), pieces * 1000) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

// Whatever quick way this machine has gives what plain C++ gives.
void quick_blocks_are_the_plain_ones() {
  std::vector<uint8_t> bytes(64 * 9);
  uint32_t seed = 3;
  for (int round = 0; round < 50; ++round) {
    for (uint8_t &byte : bytes) byte = static_cast<uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
    const size_t blocks = static_cast<size_t>(round) % 10;
    uint32_t plain[8], quick[8];
    std::memcpy(plain, bytes.data() + 7, sizeof plain), std::memcpy(quick, plain, sizeof quick);
    rwkv::sha256_blocks_plain(plain, bytes.data(), blocks);
    rwkv::sha256_blocks()(quick, bytes.data(), blocks);
    CHECK(std::memcmp(plain, quick, sizeof plain) == 0);
  }
}

} // namespace

int main() {
  quick_blocks_are_the_plain_ones();
  headers();
  damaged_headers();
  whole_files();
  wrong_tensors(tiny_rwkv7(), "blocks.0.att.r_k"); // without its mark a file is of no generation
  wrong_tensors(tiny_rwkv6(), "blocks.0.att.time_maa_w1");
  strange_tensors();
  paths();
  sha256();
  return report("safetensors");
}
