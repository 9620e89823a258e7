// README is true: every command in it but the two that set everything up is run as it stands.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/e2e.h"
#include "tests/support/page.h"

namespace drover::testing {
namespace {

TEST(ReadmeTest, EveryCommandOfTheTourRuns) {
  const std::vector<std::string> blocks = ShellBlocks(ReadFile(std::string(DROVER_SOURCE_DIR) + "/README.md"));
  ASSERT_GE(blocks.size(), 5u);
  ASSERT_NE(blocks[0].find("deploy/quickstart"), std::string::npos);
  ASSERT_NE(blocks[1].find("drover dev"), std::string::npos) << "the second block opens a shell in a cluster";

  // A checkout as the reader has it, as far as the commands look at it.
  TemporaryDirectory dir;
  std::filesystem::create_directory(dir / "build");
  std::filesystem::create_directory_symlink(Binary(""), dir / "build/bin");
  WriteFile(dir / "first.sh", "cd " + dir.path() + "\n" + blocks[1]);
  // What is typed into that shell.
  CommandOptions options;
  options.input = "set -e\n";
  for (std::size_t i = 2; i < blocks.size(); ++i) options.input += blocks[i];
  options.input += "echo the tour is over\n";
  const CommandResult result = RunCommand({"bash", "-e", dir / "first.sh"}, options);
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("the tour is over"), std::string::npos) << result.out << result.err;
  EXPECT_NE(result.out.find("hello from worker-"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("SUCCEEDED"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace drover::testing
