#include "client/cli/shell_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/process.h"

namespace drover::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string FileFor(const std::map<std::string, std::string>& environment) {
  return HistoryFile([&environment](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
}

TEST(ShellHistoryTest, ItLiesWhereStateBelongs) {
  EXPECT_EQ(FileFor({{"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}}), "/s/drover/tree-history");
  EXPECT_EQ(FileFor({{"HOME", "/h"}}), "/h/.local/state/drover/tree-history");
  EXPECT_EQ(FileFor({{"XDG_STATE_HOME", "relative"}, {"HOME", "/h"}}), "/h/.local/state/drover/tree-history");
  EXPECT_EQ(FileFor({}), "");
}

TEST(ShellHistoryTest, LinesAreKeptForTheirOwnerAlone) {
  const testing::TemporaryDirectory dir;
  const std::string file = dir / "state/drover/tree-history";
  {
    ShellHistory history(file);
    EXPECT_THAT(history.Load(), IsEmpty());
    history.Add("get /a");
    history.Add("  ");
    history.Add("auth digest:ann:secret");
    history.Add("acl digest ann:secret");
    history.Add("acl get /a");
  }
  EXPECT_THAT(ShellHistory(file).Load(), ElementsAre("get /a", "acl get /a"));
  struct stat about = {};
  ASSERT_EQ(stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  ASSERT_EQ(stat((dir / "state/drover").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
}

TEST(ShellHistoryTest, ALongOneIsCut) {
  const testing::TemporaryDirectory dir;
  const std::string file = dir / "history";
  {
    std::ofstream out(file);
    for (int i = 0; i < 2'500; ++i) out << "get /n" << i << "\n";
  }
  const std::vector<std::string> lines = ShellHistory(file).Load();
  ASSERT_EQ(lines.size(), ShellHistory::kLinesMax);
  EXPECT_EQ(lines.back(), "get /n2499");
  EXPECT_LT(std::filesystem::file_size(file), 20'000u);
}

TEST(ShellHistoryTest, WithoutAPlaceThereIsNone) {
  ShellHistory nowhere("");
  nowhere.Add("get /a");
  EXPECT_THAT(nowhere.Load(), IsEmpty());
  ShellHistory forbidden("/proc/nothing/history");
  forbidden.Add("get /a");
  EXPECT_THAT(forbidden.Load(), IsEmpty());
}

}  // namespace
}  // namespace drover::cli
