// Replays the corpus of the target that it is linked with: what was found once stays found, in every build and without a fuzzer.
// Its only argument is the folder of the corpus.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "openssl/evp.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

std::string corpus_folder;  // NOLINT: main() has it from the command line

std::vector<std::filesystem::path> Corpus() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(corpus_folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string Contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string Sha1(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha1(), nullptr) != 1) return "";
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

// In an allocation of just its size, so that AddressSanitizer sees a read beyond it.
void RunOne(const std::string& input) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[input.size()]);
  if (!input.empty()) std::memcpy(exact.get(), input.data(), input.size());
  (void)LLVMFuzzerTestOneInput(exact.get(), input.size());
}

TEST(Replay, EveryInputOfTheCorpus) {
  RunOne("");
  const std::vector<std::filesystem::path> corpus = Corpus();
  ASSERT_FALSE(corpus.empty());
  for (const std::filesystem::path& path : corpus) {
    SCOPED_TRACE(path.string());
    std::fprintf(stderr, "%s\n", path.filename().c_str());  // the last one named is the one that aborts
    RunOne(Contents(path));
  }
}

TEST(Replay, InputsAreNamedByTheirContents) {
  for (const std::filesystem::path& path : Corpus()) EXPECT_EQ(path.filename().string(), Sha1(Contents(path)));
}

}  // namespace

int Main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc == 2) corpus_folder = argv[1];
  if (!std::filesystem::is_directory(corpus_folder)) {
    std::fprintf(stderr, "usage: %s CORPUS-FOLDER [flags of GoogleTest]\n", argv[0]);
    return 2;
  }
  return RUN_ALL_TESTS();
}

}  // namespace drover::fuzz

int main(int argc, char** argv) { return drover::fuzz::Main(argc, argv); }
