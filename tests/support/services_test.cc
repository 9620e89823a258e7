#include "tests/support/services.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/await.h"

namespace drover::testing {
namespace {

class ServicesTest : public ::testing::Test {
 protected:
  ServicesTest() {
    // A program that says what it was started with, and lasts.
    std::filesystem::create_directories(dir_ / "bin");
    std::filesystem::create_directories(dir_ / "one");
    WriteFile(dir_ / "bin/drover-coord", "#!/bin/sh\necho \"$2 $WORD\"\nexec sleep 1000\n");
    std::filesystem::permissions(dir_ / "bin/drover-coord", std::filesystem::perms::owner_all);
  }
  CommandResult Script(const std::string& text) {
    return RunCommand({"bash", "-ec", text},
                      {.env = {{"PATH", services_.programs() + ":/usr/bin:/bin"}, {"DROVER_TEST_HOST", "one"}}, .input = ""});
  }
  TemporaryDirectory dir_;
  Services services_{dir_.path(), dir_ / "bin"};
};

TEST_F(ServicesTest, AScriptStartsAndStopsOneAndReadsWhatItSaid) {
  services_.SetEnvironment("one", "drover-coord", {{"WORD", "hello"}});
  EXPECT_EQ(Script("systemctl enable --now drover-coord; systemctl is-active drover-coord").out, "active\n");
  const std::string said = (dir_ / "one/etc/drover/coord.toml") + " hello\n";
  ASSERT_TRUE(Await([&] { return Script("journalctl -u drover-coord -n 1").out == said; }));
  const pid_t pid = services_.PidOf("one", "drover-coord");
  EXPECT_TRUE(Alive(pid));
  EXPECT_EQ(Script("systemctl stop drover-coord").exit_code, 0);
  EXPECT_FALSE(Alive(pid));
  EXPECT_EQ(Script("systemctl is-active drover-coord || true").out, "inactive\n");
  EXPECT_EQ(Script("systemctl start sshd").exit_code, 5);
}

TEST_F(ServicesTest, OneThatEndsIsStartedAgainButNotOnALostHost) {
  services_.Systemctl("one", {"start", "drover-coord"});
  const pid_t first = services_.PidOf("one", "drover-coord");
  services_.Systemctl("one", {"kill", "-s", "KILL", "drover-coord"});
  ASSERT_TRUE(Await([&] {
    const pid_t now = services_.PidOf("one", "drover-coord");
    return now != 0 && now != first;
  }));
  services_.Lose("one");
  EXPECT_EQ(services_.PidOf("one", "drover-coord"), 0);
  EXPECT_EQ(Script("systemctl is-active drover-coord || true").out, "inactive\n");
}

}  // namespace
}  // namespace drover::testing
