#include "tests/support/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/await.h"

namespace drover::testing {
namespace {

TEST(RunCommand, OutputErrorAndExitCodeArriveApart) {
  const CommandResult result = RunCommand({"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.exit_code, 7);
}

TEST(RunCommand, AMegabyteGoesThroughBothWays) {
  CommandOptions options;
  options.input.assign(1 << 20, '\0');
  for (std::size_t i = 0; i < options.input.size(); ++i) options.input[i] = static_cast<char>(i * 31);
  EXPECT_EQ(RunCommand({"cat"}, options).out, options.input);
}

TEST(RunCommand, ASignalIsShownAsAShellShowsIt) {
  EXPECT_EQ(RunCommand({"sh", "-c", "kill -9 $$"}).exit_code, 128 + SIGKILL);
}

TEST(Process, IsGoneOnceKilledAndCanStartAgain) {
  const TemporaryDirectory dir;
  Process process({"sh", "-c", "echo started; exec sleep 1000"}, {}, dir / "log");
  process.Start();
  const pid_t first = process.pid();
  EXPECT_TRUE(process.running());
  ASSERT_TRUE(Await([&] { return process.Log() == "started\n"; }));
  process.Kill();
  EXPECT_FALSE(process.running());
  EXPECT_FALSE(Alive(first));
  process.Start();
  ASSERT_TRUE(Await([&] { return process.Log() == "started\nstarted\n"; }));
  EXPECT_EQ(process.Terminate(), 128 + SIGTERM);
}

TEST(FreePort, NeverGivesTheSameTwice) {
  EXPECT_NE(FreePort(), FreePort());
}

}  // namespace
}  // namespace drover::testing
