// The test program is its own reaper, as drover-worker is. Its last word creates the file that the will names, with in it whether
// any process with the will's marker lived at that moment.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/worker/exec/runner_fixture.h"
#include "tests/worker/exec/victim.h"
#include "worker/exec/reaper.h"

int main(int argc, char** argv) {
  using drover::worker::exec::AnyProcessWith;
  const auto last_word = [](absl::string_view will) {
    const std::vector<std::string> parts = absl::StrSplit(will, '\n');
    std::ofstream(parts[0] + ".new") << (AnyProcessWith(parts[1]) ? "alive" : "dead");
    std::rename((parts[0] + ".new").c_str(), parts[0].c_str());
  };
  if (auto code = drover::worker::exec::RunIfReaper(argc, argv, last_word)) return *code;
  if (auto code = drover::worker::exec::RunIfVictim(argc, argv)) return *code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
