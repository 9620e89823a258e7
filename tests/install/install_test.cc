// What `cmake --install` leaves is enough for others: programs that run, and a package that a project of its own builds against.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class InstallTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TemporaryDirectory>();
    ASSERT_NO_FATAL_FAILURE(Run({DROVER_CMAKE, "--install", DROVER_BUILD_DIR, "--prefix", prefix()}));
  }
  static void TearDownTestSuite() { dir_ = nullptr; }
  static std::string prefix() { return *dir_ / "prefix"; }

  static void Run(const std::vector<std::string>& argv) {
    CommandOptions options;
    options.deadline_seconds = 500;
    const CommandResult result = RunCommand(argv, options);
    ASSERT_EQ(result.exit_code, 0) << argv[0] << " " << argv[1] << "\n" << result.out << result.err;
  }
  // Configures and builds the project in `source` against the installed package alone.
  static void Build(const std::string& source, const std::string& build) {
    ASSERT_NO_FATAL_FAILURE(Run({DROVER_CMAKE, "-G", "Ninja", "-S", source, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix(),
                                 "-DCMAKE_CXX_COMPILER=" DROVER_CXX, "-DCMAKE_CXX_FLAGS=-Wall -Werror " DROVER_SANITIZE_FLAGS}));
    ASSERT_NO_FATAL_FAILURE(Run({DROVER_CMAKE, "--build", build}));
  }

  static std::unique_ptr<TemporaryDirectory> dir_;
};
std::unique_ptr<TemporaryDirectory> InstallTest::dir_;

// The first block of a page in a language.
std::string Block(const std::string& page, const std::string& language) {
  std::string block;
  bool inside = false;
  for (const std::string& line : Lines(page)) {
    if (inside && line == "```") return block;
    if (inside) block += line + "\n";
    if (line == "```" + language) inside = true;
  }
  return block;
}

TEST_F(InstallTest, TheProgramsRunFromWhereTheyWerePut) {
  for (const char* program : {"drover", "drover-coord", "drover-master", "drover-worker"}) {
    const CommandResult result = RunCommand({prefix() + "/bin/" + program, "--version"});
    EXPECT_EQ(result.exit_code, 0) << program << ": " << result.err;
    EXPECT_THAT(result.out, StartsWith(std::string(program) + " ")) << result.out;
  }
  EXPECT_TRUE(std::filesystem::exists(prefix() + "/share/drover/proto/drover/task/v1/task.proto"));
}

TEST_F(InstallTest, NoGeneratedTypeIsAmongTheHeaders) {
  int headers = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(prefix() + "/include")) {
    if (!entry.is_regular_file()) continue;
    ++headers;
    const std::string text = ReadFile(entry.path().string());
    EXPECT_EQ(text.find(".pb.h"), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("grpc"), std::string::npos) << entry.path();
  }
  EXPECT_GE(headers, 10);
}

TEST_F(InstallTest, AProjectOfItsOwnBuildsAgainstThePackageAndItsProgramsRun) {
  const std::string build = *dir_ / "outside";
  ASSERT_NO_FATAL_FAILURE(Build(std::string(DROVER_SOURCE_DIR) + "/tests/install/outside", build));
  Cluster cluster;
  const CommandResult task = RunCommand({build + "/run-task", cluster.coord_address(), "hello from outside"});
  EXPECT_EQ(task.exit_code, 0) << task.err;
  Process shout({build + "/shout", cluster.coord_address()}, {}, cluster.path("shout.log"));
  shout.Start();
  const CommandResult shouted =
      cluster.Drover({"submit", "--handler", "shout", "--input", "from outside", "--id", "shouted", "--wait"});
  EXPECT_EQ(shouted.exit_code, 0) << shouted.err;
  EXPECT_EQ(cluster.Drover({"result", "shouted"}).out, "FROM OUTSIDE");
  EXPECT_EQ(shout.Terminate(), 0) << shout.Log();
  EXPECT_EQ(task.out, "hello from outside");
  const CommandResult tree = RunCommand({build + "/read-tree", cluster.coord_address(), "/outside", "data"});
  EXPECT_EQ(tree.exit_code, 0) << tree.err;
  EXPECT_EQ(tree.out, "data at version 0\n");
  const CommandResult elected = RunCommand({build + "/elect", cluster.coord_address(), "/leader"});
  EXPECT_EQ(elected.exit_code, 0) << elected.err;
  EXPECT_THAT(elected.out, StartsWith("leads as /leader/"));
}

TEST_F(InstallTest, TheExampleOfTheReadmeBuildsAndRuns) {
  const std::string readme = ReadFile(std::string(DROVER_SOURCE_DIR) + "/README.md");
  const std::string source = *dir_ / "readme";
  std::filesystem::create_directory(source);
  WriteFile(source + "/CMakeLists.txt", Block(readme, "cmake"));
  WriteFile(source + "/hello.cc", Block(readme, "cpp"));
  ASSERT_NO_FATAL_FAILURE(Build(source, source + "/build"));
  Cluster cluster;
  const CommandResult hello = RunCommand({source + "/build/hello", cluster.coord_address()});
  EXPECT_EQ(hello.exit_code, 0) << hello.err;
  EXPECT_THAT(hello.out, HasSubstr("hello from w"));
}

}  // namespace
}  // namespace drover::testing
