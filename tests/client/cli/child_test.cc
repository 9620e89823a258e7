#include "client/cli/child.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/client/store/temp_directory.h"
#include "tests/support/await.h"

namespace drover::cli {
namespace {

class ChildTest : public ::testing::Test {
 protected:
  ChildSpec Sh(const std::string& script) {
    return {"c", {"sh", "-c", script}, {{"PATH", "/usr/bin:/bin"}, {"COLOUR", "blue"}}, log_};
  }
  static void AwaitEnd(Child* child) {
    ASSERT_TRUE(testing::Await([child] { return child->Reap(); }));
  }
  std::string Log() {
    std::ifstream in(log_);
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }

  store::TempDirectory directory_;
  const std::string log_ = directory_.path() + "/log";
};

TEST_F(ChildTest, RunsWithItsEnvironmentAloneAndWritesToItsLog) {
  Child child(Sh("echo out $COLOUR $HOME; echo err >&2; cat; exit 3"));
  ASSERT_TRUE(child.Start().ok());
  AwaitEnd(&child);
  EXPECT_EQ(ShellCode(child.wait_status()), 3);
  EXPECT_EQ(DescribeEnd(child.wait_status()), "exit code 3");
  EXPECT_EQ(Log(), "out blue\nerr\n");
  EXPECT_FALSE(child.Reap());  // told once
}

TEST_F(ChildTest, IsAProcessGroupOfItsOwn) {
  Child child(Sh("exec sleep 1000"));
  ASSERT_TRUE(child.Start().ok());
  EXPECT_EQ(getpgid(child.pid()), child.pid());
  child.Signal(SIGKILL);
  AwaitEnd(&child);
  EXPECT_EQ(ShellCode(child.wait_status()), 137);
  EXPECT_EQ(DescribeEnd(child.wait_status()), "signal 9");
}

TEST_F(ChildTest, AProgramThatIsNotThereIsAnErrorAndNoChild) {
  Child child({"c", {"/no/such/program"}, {}, log_});
  EXPECT_TRUE(absl::IsNotFound(child.Start()));
  EXPECT_FALSE(child.running());
}

TEST_F(ChildTest, CanBeStartedAgain) {
  Child child(Sh("echo again"));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(child.Start().ok());
    AwaitEnd(&child);
  }
  EXPECT_EQ(Log(), "again\nagain\n");
}

TEST_F(ChildTest, GoesWithTheProcessThatStartedIt) {
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t middle = fork();
  if (middle == 0) {
    Child child(Sh("exec sleep 1000"));
    if (!child.Start().ok()) _exit(1);
    const pid_t pid = child.pid();
    (void)!write(told[1], &pid, sizeof pid);
    kill(getpid(), SIGKILL);
  }
  pid_t child = 0;
  ASSERT_EQ(read(told[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  waitpid(middle, nullptr, 0);
  // Gone, or a corpse that nobody has collected yet.
  auto gone = [child] {
    if (kill(child, 0) != 0) return true;
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
    return text.find(") Z ") != std::string::npos;
  };
  EXPECT_TRUE(testing::Await(gone));
  close(told[0]);
  close(told[1]);
}

}  // namespace
}  // namespace drover::cli
