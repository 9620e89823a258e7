// The units and example configurations that deploy/ ships are ones that systemd and the servers accept.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

namespace fs = std::filesystem;
const std::string kDeploy = std::string(DROVER_SOURCE_DIR) + "/deploy/";

TEST(SystemdTest, EveryUnitIsAccepted) {
  TemporaryDirectory dir;
  int units = 0;
  for (const auto& entry : fs::directory_iterator(kDeploy + "systemd")) {
    // As installed, but with the programs where this build put them.
    std::string unit = ReadFile(entry.path());
    const std::string installed = "/usr/bin/";
    const std::size_t at = unit.find("ExecStart=" + installed);
    ASSERT_NE(at, std::string::npos) << entry.path();
    unit.replace(at + std::string("ExecStart=").size(), installed.size(), Binary(""));
    const std::string path = dir / entry.path().filename();
    WriteFile(path, unit);
    const CommandResult result = RunCommand({"systemd-analyze", "verify", "--man=no", path});
    EXPECT_EQ(result.exit_code, 0) << entry.path() << ": " << result.err;
    EXPECT_EQ(result.err.find(entry.path().filename()), std::string::npos) << result.err;
    ++units;
  }
  EXPECT_EQ(units, 3);
}

TEST(ExampleConfigurationTest, EveryKeyIsAFlagThatItsServerKnows) {
  for (const std::string role : {"coord", "master", "worker"}) {
    const CommandResult help = RunCommand({Binary("drover-" + role), "--help"});
    ASSERT_EQ(help.exit_code, 0) << role;
    int keys = 0;
    for (const std::string& line : Lines(ReadFile(kDeploy + "examples/" + role + ".toml"))) {
      if (line.empty() || line[0] == '#') continue;
      const std::string key = line.substr(0, line.find(' '));
      EXPECT_NE(help.out.find("--" + key), std::string::npos) << role << ".toml: " << key;
      ++keys;
    }
    EXPECT_GE(keys, 5) << role;
  }
}

}  // namespace
}  // namespace drover::testing
