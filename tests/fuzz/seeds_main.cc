// fuzz-seeds DIR: writes the first inputs of each target into a folder of its name below DIR.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "tests/fuzz/seeds.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz-seeds DIR\n";
    return 2;
  }
  drover::fuzz::Seeds seeds;
  drover::fuzz::AddRequestSeeds(&seeds);
  drover::fuzz::AddPeerSeeds(&seeds);
  drover::fuzz::AddLogSeeds(&seeds);
  drover::fuzz::AddTextSeeds(&seeds);
  for (const auto& [target, inputs] : seeds) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target;
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const std::string& input : inputs) {
      std::ofstream file(folder / absl::StrCat("seed-", number++), std::ios::binary);
      file << input;
      if (!file.flush()) {
        std::cerr << "fuzz-seeds: cannot write to " << folder << "\n";
        return 1;
      }
    }
  }
  return 0;
}
